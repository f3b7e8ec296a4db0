"""What the hub's webhook knows: an informer per kind, their objects as models, and whose a namespace is."""

import asyncio
from collections.abc import Iterator, Sequence

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import NotFound
from kubeslice.kube.informer import Informer
from kubeslice.model import names, resources
from kubeslice.model.cluster import Cluster
from kubeslice.model.sliceconfig import SliceConfig, SliceConfigSpec
from kubeslice.plan.checks import obstacles
from kubeslice.plan.hub import clusters
from kubeslice.runtime.parsed import Parsed


class Holdings:
    """Informers that follow the API server, and what the checks ask them."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._projects = Informer(api, resources.PROJECTS, names.HUB_NAMESPACE)
        self._clusters = Informer(api, resources.CLUSTERS)
        self._slices = Informer(api, resources.SLICECONFIGS)
        self._profiles = Informer(api, resources.SLICEQOSCONFIGS)
        self._exports = Informer(api, resources.SERVICEEXPORTCONFIGS)
        self._namespaces = Informer(api, resources.NAMESPACES, labels=names.PROJECT_LABEL)
        self.clusters = Parsed(self._clusters, Cluster)
        self.slices = Parsed(self._slices, SliceConfig)

    @property
    def is_synced(self) -> bool:
        """Tell whether every informer has listed once."""
        return all(informer.synced.is_set() for informer in self._informers)

    @property
    def _informers(self) -> Sequence[Informer]:
        return self._projects, self._clusters, self._slices, self._profiles, self._exports, self._namespaces

    async def run(self) -> None:
        """Follow the API server until cancelled."""
        async with asyncio.TaskGroup() as group:
            for informer in self._informers:
                group.create_task(informer.run(), name=f"follow-{informer.resource.plural}")

    def profiles(self, namespace: str) -> list[str]:
        """Return the names of the QoS profiles of a project."""
        return [objects.name(obj) for obj in self._profiles.items(namespace)]

    def ceiling(self, namespace: str, spec: SliceConfigSpec) -> int | None:
        """Return the bandwidth ceiling of a slice's QoS profile in kbit/s."""
        if spec.qos_profile_details:
            return spec.qos_profile_details.bandwidth_ceiling_kbps
        found = self._profiles.get(spec.standard_qos_profile_name or names.DEFAULT_QOS_PROFILE, namespace)
        return objects.spec(found).get("bandwidthCeilingKbps") if found else None

    async def labels(self, namespace: str) -> dict[str, str]:
        """Return the labels of a namespace; asks when it is not (yet) known as a tenant's."""
        return await self.labels_if_any(namespace) or {}

    async def labels_if_any(self, namespace: str) -> dict[str, str] | None:
        """Return the labels of a namespace as `labels` does, None when there is no such namespace."""
        found = self._namespaces.get(namespace)
        if found is None:
            try:
                found = await self._api.get(resources.NAMESPACES, namespace)
            except NotFound:
                return None
        return objects.labels(found)

    def is_leaving(self, project: str) -> bool:
        """Tell whether a project goes away, with all it holds: nothing of it is kept then."""
        found = self._projects.get(project, names.HUB_NAMESPACE)
        home = self._namespaces.get(names.project_namespace(project))
        return any(obj is None or objects.is_deleting(obj) for obj in (found, home))

    def has_owner(self, namespace: str, project: str, cluster: str) -> bool:
        """Tell whether the project, or its `cluster` if one is named, is there to stay and has this namespace."""
        if self.is_leaving(project):
            return False
        if not cluster:
            return namespace == names.project_namespace(project)
        found = self._clusters.get(cluster, names.project_namespace(project))
        is_staying = found is not None and not objects.is_deleting(found)
        return is_staying and namespace == names.cluster_namespace(project, cluster)

    def exports_on(self, project: str, slice_name: str) -> list[str]:
        """Return the services that are exported on a slice, with the cluster that each comes from.

        Those of workers that are not heard of do not count: nobody there could take them back.
        """
        known = self.clusters.of(names.project_namespace(project))
        silent = {name for name, cluster in known.items() if not clusters.is_heard(cluster)}
        owned = ((self._owner(obj), obj) for obj in self._exports.items())
        return obstacles.exported(((owner[1], obj) for owner, obj in owned if owner[0] == project), slice_name, silent)

    def _owner(self, obj: Object) -> tuple[str, str]:
        home = self._namespaces.get(objects.namespace(obj))
        labels = objects.labels(home) if home else {}
        return labels.get(names.PROJECT_LABEL, ""), labels.get(names.CLUSTER_LABEL, "")

    def homes_of_projects(self, but: str = "") -> Iterator[tuple[str, str]]:
        """Return the namespaces of projects, except one, with words that say whose they are."""
        for name in map(objects.name, self._projects.items()):
            if name != but:
                yield names.project_namespace(name), f"project {name}"

    def homes_of_clusters(self, but: tuple[str, str] = ("", "")) -> Iterator[tuple[str, str]]:
        """Return the namespaces of clusters, except one, with words that say whose they are."""
        for obj in self._clusters.items():
            namespace, name = objects.namespace(obj), objects.name(obj)
            if (namespace, name) != but:
                project = names.project_of(namespace)
                yield names.cluster_namespace(project, name), f"cluster {name} of project {project}"
