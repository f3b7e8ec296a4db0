"""Which change wakes which reconcile. Every input that changes what is wanted is listed here, once."""

from collections.abc import Iterable, Iterator
from typing import Any

from kubeslice.hub import exports, fingerprints, gateways, groups, rosters, slices
from kubeslice.hub.caches import Caches
from kubeslice.hub.groups import Service, SliceName
from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model import names
from kubeslice.model.ids import OWN, Key
from kubeslice.plan.hub import clusters
from kubeslice.runtime.sources import Source


def own_key(obj: Object) -> Iterator[Key]:
    """Return the key of the object itself."""
    yield Key(OWN, objects.namespace(obj), objects.name(obj))


def presence(_: Object) -> Any:
    """Tell versions of an object apart by nothing: only its coming and going counts."""
    return None


def desired(obj: Object) -> Any:
    """Tell versions apart by what users change: spec, finalizers, deletion, labels."""
    metadata = obj["metadata"]
    return metadata.get("generation"), metadata.get("finalizers"), metadata.get("deletionTimestamp")


def with_conditions(obj: Object) -> Any:
    """Tell versions apart by what users change and by what anybody reports, so that a lost status is written again."""
    return desired(obj), objects.status(obj)


class Wiring:
    """The triggers of each of the hub's controllers."""

    def __init__(self, caches: Caches) -> None:
        self._caches = caches

    def projects(self) -> list[Source]:
        """Return what concerns a Project: itself, what the hub made for it, and what it still holds while it goes."""
        caches = self._caches
        held = (caches.clusters, caches.slices, caches.profiles)
        return [
            Source(caches.projects, own_key),
            *(Source(index.informer, _project_of_owned) for _, index in caches.owned_by),
            *(Source(informer, _project_of_content, presence) for informer in held),
            Source(caches.exports, self._project_of_export, presence),
        ]

    def clusters(self) -> list[Source]:
        """Return what concerns a Cluster."""
        caches = self._caches
        return [
            Source(caches.clusters, own_key, _cluster_aspect),
            Source(caches.projects, self._clusters_of_project, desired),
            Source(caches.namespaces, self._clusters_in, _home_aspect),
            *(Source(index.informer, _cluster_of_owned) for _, index in caches.owned_by),
            Source(caches.slices, _clusters_of_slice, lambda obj: objects.spec(obj).get("clusters")),
            Source(caches.configs, self._cluster_of_namespace, presence),
            *(Source(informer, self._leaving_cluster, desired) for informer in caches.held_by_workers),
        ]

    def slices(self) -> list[Source]:
        """Return what concerns a SliceConfig."""
        caches = self._caches
        return [
            Source(caches.slices, own_key, desired, is_urgent=True),
            Source(caches.slices, own_key, with_conditions),
            Source(caches.slices, self._siblings, lambda obj: obj["metadata"].get("generation")),
            Source(caches.clusters, self._slices_of_cluster, _member_aspect),
            Source(caches.profiles, self._siblings, lambda obj: obj["metadata"].get("generation")),
            Source(caches.namespaces, self._slices_of_namespace, objects.labels),
            Source(caches.namespaces, self._slices_in, objects.labels),
            Source(caches.configs, _slice_keys, _config_aspect),
            Source(caches.rotations, own_key, _outcome_aspect),
            Source(caches.pools, own_key, with_conditions),
            Source(caches.quotas, own_key, lambda obj: obj["metadata"].get("generation")),
            Source(caches.secrets, _slice_of_authority),
            Source(caches.gateways, _slice_keys, _tunnels),
            Source(caches.imports, _slice_keys, presence),
        ]

    def quotas(self) -> list[Source]:
        """Return what concerns the limits of a slice."""
        caches = self._caches
        return [
            Source(caches.quotas, own_key, with_conditions),
            Source(caches.slices, own_key, desired),
            Source(caches.configs, _slice_keys, _use_aspect),
            Source(caches.profiles, self._limited_siblings, lambda obj: obj["metadata"].get("generation")),
        ]

    def gateways(self) -> list[Source]:
        """Return what concerns the views that lead to one member of a slice."""
        caches = self._caches
        return [
            Source(caches.configs, self._views_of_all, lambda obj: (desired(obj)[2], objects.labels(obj))),
            Source(caches.configs, self._views_of_one, lambda obj: objects.status(obj).get("gateways")),
            Source(caches.gateways, _view_itself, fingerprints.intent),
            Source(caches.secrets, _view_of_key, presence),
            Source(caches.slices, self._views_of_slice, _connecting),
            Source(caches.rotations, self._views_of_rotation, _passed_on),
            Source(caches.clusters, self._views_beside_cluster, rosters.is_evicted),
            Source(caches.clusters, self._views_of_cluster, lambda obj: objects.status(obj).get("nodeIPs")),
        ]

    def rotations(self) -> list[Source]:
        """Return what concerns the keys of a slice."""
        caches = self._caches
        return [
            Source(caches.slices, own_key, desired),
            Source(caches.rotations, own_key, with_conditions),
            Source(caches.configs, _slice_keys, objects.is_deleting, is_urgent=True),
            Source(caches.configs, _slice_keys, _keys_aspect),
            Source(caches.gateways, _slice_keys, _progress_aspect),
            Source(caches.secrets, _slice_keys),
            Source(caches.clusters, self._slices_of_cluster, _member_aspect),
        ]

    def default_slices(self) -> list[Source]:
        """Return what concerns the default slice of a Project, by the key of the Project."""
        caches = self._caches
        return [
            Source(caches.projects, own_key, desired),
            Source(caches.namespaces, _project_of_owned, objects.labels),
            Source(caches.clusters, _project_of_content, _inventory),
            Source(caches.slices, _project_of_content, desired_and_labels),
        ]

    def recyclers(self) -> list[Source]:
        """Return what concerns a WorkerSliceGwRecycler."""
        return [Source(self._caches.recyclers, own_key, with_conditions)]

    def exports(self) -> list[Source]:
        """Return what concerns a service on a slice."""
        caches = self._caches
        return [
            Source(caches.exports, self._services, with_conditions),
            Source(caches.imports, _service_of_import, desired_and_labels),
            Source(caches.configs, self._services_of_slice, lambda obj: (desired(obj)[2], objects.labels(obj))),
            Source(caches.slices, self._services_of_slice_config, lambda obj: (desired(obj)[0], desired(obj)[2])),
            Source(caches.namespaces, self._services_of_namespace, objects.labels),
        ]

    def _project_of_export(self, obj: Object) -> Iterator[Key]:
        member = self._caches.member(objects.namespace(obj))
        if member:
            yield Key(OWN, names.HUB_NAMESPACE, member.project)

    def _clusters_of_project(self, obj: Object) -> Iterator[Key]:
        for cluster in self._caches.clusters_by_project.of(names.project_namespace(objects.name(obj))):
            yield from own_key(cluster)

    def _clusters_in(self, namespace: Object) -> Iterator[Key]:
        for cluster in self._caches.clusters_by_project.of(objects.name(namespace)):
            yield from own_key(cluster)

    def _slices_in(self, namespace: Object) -> Iterator[Key]:
        for config in self._caches.slices_by_project.of(objects.name(namespace)):
            yield from own_key(config)

    def _cluster_of_namespace(self, obj: Object) -> Iterator[Key]:
        member = self._caches.member(objects.namespace(obj))
        if member:
            yield Key(OWN, names.project_namespace(member.project), member.name)

    def _leaving_cluster(self, obj: Object) -> Iterator[Key]:
        for key in self._cluster_of_namespace(obj):
            cluster = self._caches.clusters.get(key.name, key.namespace)
            if cluster is not None and (rosters.is_evicted(cluster) or objects.is_deleting(cluster)):
                yield key

    def _siblings(self, obj: Object) -> Iterator[Key]:
        for other in self._caches.slices_by_project.of(objects.namespace(obj)):
            yield from own_key(other)

    def _limited_siblings(self, obj: Object) -> Iterator[Key]:
        for other in self._caches.quotas_by_project.of(objects.namespace(obj)):
            yield from own_key(other)

    def _slices_of_cluster(self, obj: Object) -> Iterator[Key]:
        for config in self._caches.slices_by_cluster.of((objects.namespace(obj), objects.name(obj))):
            yield from own_key(config)

    def _slices_of_namespace(self, obj: Object) -> Iterator[Key]:
        member = groups.member(obj)
        if member:
            for config in self._caches.slices_by_cluster.of((names.project_namespace(member.project), member.name)):
                yield from own_key(config)

    def _views_of_all(self, obj: Object) -> Iterator[Key]:
        for name in groups.slice_name(obj):
            yield from self._views(name, [obj])

    def _views_of_slice(self, obj: Object) -> Iterator[Key]:
        name = SliceName(names.project_of(objects.namespace(obj)), objects.name(obj))
        yield from self._views(name, self._caches.gateways_by_slice.of(name) if objects.is_deleting(obj) else [])

    def _views_of_rotation(self, obj: Object) -> Iterator[Key]:
        yield from self._views(SliceName(names.project_of(objects.namespace(obj)), objects.name(obj)), [])

    def _views_beside_cluster(self, obj: Object) -> Iterator[Key]:
        project = names.project_of(objects.namespace(obj))
        for config in self._caches.slices_by_cluster.of((objects.namespace(obj), objects.name(obj))):
            yield from self._views(SliceName(project, objects.name(config)), [])
            yield gateways.key(SliceName(project, objects.name(config)), objects.name(obj))

    def _views_of_cluster(self, obj: Object) -> Iterator[Key]:
        project = names.project_of(objects.namespace(obj))
        for config in self._caches.slices_by_cluster.of((objects.namespace(obj), objects.name(obj))):
            yield gateways.key(SliceName(project, objects.name(config)), objects.name(obj))

    def _views(self, name: SliceName, more: Iterable[Object]) -> Iterator[Key]:
        members = {
            objects.labels(config).get(names.CLUSTER_LABEL, "") for config in self._caches.configs_by_slice.of(name)
        }
        remotes = {_remote(obj) for obj in more}
        for cluster in sorted(members | remotes):
            yield gateways.key(name, cluster)

    def _views_of_one(self, obj: Object) -> Iterator[Key]:
        for name in groups.slice_name(obj):
            yield gateways.key(name, objects.labels(obj).get(names.CLUSTER_LABEL, ""))

    def _services(self, obj: Object) -> Iterator[Key]:
        member = self._caches.member(objects.namespace(obj))
        if member:
            for slice_name, namespace, name in groups.exported(obj):
                yield exports.key(Service(SliceName(member.project, slice_name), namespace, name))

    def _services_of_slice(self, obj: Object) -> Iterator[Key]:
        for name in groups.slice_name(obj):
            yield from self._services_on(name)

    def _services_of_slice_config(self, obj: Object) -> Iterator[Key]:
        yield from self._services_on(SliceName(names.project_of(objects.namespace(obj)), objects.name(obj)))

    def _services_on(self, name: SliceName) -> Iterator[Key]:
        for export in self._caches.exports_by_slice.of(name.name):
            yield from self._services(export)
        for imported in self._caches.imports_by_slice.of(name):
            yield from _service_of_import(imported)

    def _services_of_namespace(self, obj: Object) -> Iterator[Key]:
        for export in self._caches.exports_by_namespace.of(objects.name(obj)):
            yield from self._services(export)


def desired_and_labels(obj: Object) -> Any:
    """Tell versions apart by what could be put back: spec, deletion and labels."""
    return desired(obj), objects.labels(obj)


def _project_of_owned(obj: Object) -> Iterator[Key]:
    for project, cluster in groups.owner(obj):
        if not cluster:
            yield Key(OWN, names.HUB_NAMESPACE, project)


def _cluster_of_owned(obj: Object) -> Iterator[Key]:
    for project, cluster in groups.owner(obj):
        if cluster:
            yield Key(OWN, names.project_namespace(project), cluster)


def _project_of_content(obj: Object) -> Iterator[Key]:
    yield Key(OWN, names.HUB_NAMESPACE, names.project_of(objects.namespace(obj)))


def _clusters_of_slice(obj: Object) -> Iterator[Key]:
    for namespace, cluster in groups.members(obj):
        yield Key(OWN, namespace, cluster)


def _slice_keys(obj: Object) -> Iterator[Key]:
    for name in groups.slice_name(obj):
        yield slices.key(name)


def _view_itself(obj: Object) -> Iterator[Key]:
    for name, remote in groups.slice_and_remote(obj):
        yield gateways.key(name, remote)


def _view_of_key(secret: Object) -> Iterator[Key]:
    if names.REMOTE_CLUSTER_LABEL in objects.labels(secret):
        yield from _view_itself(secret)


def _service_of_import(obj: Object) -> Iterator[Key]:
    for service in groups.imported(obj):
        yield exports.key(service)


def _remote(obj: Object) -> str:
    labels = objects.labels(obj)
    return labels.get(names.REMOTE_CLUSTER_LABEL) or labels.get(names.CLUSTER_LABEL, "")


def _home_aspect(namespace: Object) -> object:
    return objects.is_deleting(namespace), objects.labels(namespace)


def _cluster_aspect(obj: Object) -> Any:
    status = {**objects.status(obj)}
    if objects.is_true(obj, clusters.REACHABLE):
        # The next look at a cluster that is heard of has its appointment; the heartbeats in between wake nobody.
        status.pop("heartbeatTime", None)
    return desired(obj), status


def _member_aspect(obj: Object) -> Any:
    heard = objects.condition(obj, clusters.REACHABLE) or {}
    return objects.is_deleting(obj), rosters.is_evicted(obj), objects.status(obj).get("cniSubnet"), heard.get("status")


def _inventory(obj: Object) -> Any:
    return objects.is_deleting(obj), objects.status(obj).get("namespaces")


def _connecting(obj: Object) -> Any:
    found = objects.status(obj).get("topology") or {}
    return desired(obj), found.get("relays"), found.get("swapped")


def _tunnels(obj: Object) -> Any:
    return [(plane.get("plane"), plane.get("state")) for plane in objects.status(obj).get("planes") or []]


def _keys_aspect(obj: Object) -> Any:
    return objects.is_deleting(obj), objects.spec(obj).get("gatewayKeys"), objects.status(obj).get("gateways")


def _use_aspect(obj: Object) -> Any:
    limits, use = objects.spec(obj).get("resourceQuota"), objects.status(obj).get("resourceQuota")
    return desired(obj)[2], objects.labels(obj), objects.spec(obj).get("namespaceIsolationProfile"), limits, use


def _progress_aspect(obj: Object) -> Any:
    planes = objects.status(obj).get("planes") or []
    told = [(plane.get("plane"), plane.get("generation"), plane.get("state")) for plane in planes]
    return objects.is_deleting(obj), objects.labels(obj), told


def _slice_of_authority(obj: Object) -> Iterator[Key]:
    if objects.namespace(obj) == names.HUB_NAMESPACE:
        yield from _slice_keys(obj)


def _passed_on(obj: Object) -> Any:
    status = objects.status(obj)
    return [(plane["plane"], plane["generations"]) for plane in status.get("planes") or []], status.get("keys")


def _outcome_aspect(obj: Object) -> Any:
    planes = [(plane["plane"], plane["generations"]) for plane in objects.status(obj).get("planes") or []]
    told = [(entry["type"], entry["status"], entry["message"]) for entry in objects.conditions(obj)]
    return planes, told


def _config_aspect(obj: Object) -> Any:
    status = objects.status(obj)
    ready = objects.condition(obj, "Ready") or {}
    told = ready.get("status"), ready.get("message"), len(status.get("connectedAppPods") or [])
    return desired(obj), objects.labels(obj), told
