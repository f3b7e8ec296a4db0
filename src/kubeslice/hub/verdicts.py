"""Is a Project, Cluster or SliceConfig acceptable beside the others? By the checks that the webhook refuses with.

What is decided about a slice is remembered until one of the objects beside it changes: a slice is looked at whenever
one of its tunnels comes up, and what it may be does not change with that.
"""

from collections.abc import Collection, Hashable, Mapping
from typing import Any

from kubeslice.hub.caches import Caches
from kubeslice.hub.groups import SliceName
from kubeslice.hub.rosters import cluster_of
from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model import names
from kubeslice.model.cluster import Cluster
from kubeslice.model.project import Project
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.plan.checks import claimchecks, effective, validation
from kubeslice.plan.checks.validation import Problem
from kubeslice.plan.hub import slices
from kubeslice.plan.tenants import tenancy
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.runtime.parsed import Parsed

Name = tuple[str, str]


class Verdicts:
    """Checks slices by `plan.checks.validation` with what the caches hold."""

    def __init__(self, caches: Caches) -> None:
        self._caches = caches
        self._known: dict[Name, tuple[Hashable, list[Problem]]] = {}
        self._slices = Parsed(caches.slices, SliceConfig)
        self._clusters = Parsed(caches.clusters, Cluster)

    def problems(self, obj: Object, config: SliceConfig) -> list[Problem]:
        """Return what says why a slice cannot be as its spec says; empty when it can."""
        home, name = objects.namespace(obj), objects.name(obj)
        earlier = claimchecks.elders(obj, self._caches.slices_by_project.of(home))
        members = self._caches.clusters_by_project.of(home)
        profiles = tuple(objects.name(profile) for profile in self._caches.profiles_by_project.of(home))
        misplaced = validation.home(home, _labels(self._caches, home))
        fingerprint = (_generations([obj, *earlier]), _networks(members), profiles, *misplaced)
        known = self._known.get((home, name))
        if known is None or known[0] != fingerprint:
            found = list(misplaced) or self._compared(config, earlier, profiles)
            known = self._known[home, name] = (fingerprint, found)
        return known[1]

    def _compared(self, config: SliceConfig, earlier: list[Object], profiles: Collection[str]) -> list[Problem]:
        home, name = config.metadata.namespace, config.metadata.name
        known = self._slices.of(home)
        others = {
            objects.name(other): known[objects.name(other)].spec for other in earlier if objects.name(other) in known
        }
        found = validation.slice_config(config.spec, name, others, self._clusters.of(home), profiles)
        configs = self._caches.configs_of(SliceName(names.project_of(home), name))
        built = slices.exposures((cluster_of(obj), obj) for obj in configs)
        return [*found, *validation.exposure(config.spec, built), *effective.impossible(config.spec)]

    def profile(self, config: SliceConfig) -> Mapping[str, Any] | None:
        """Return the QoS profile of a slice in wire form: its own, the one it names, or the project's default."""
        home = config.metadata.namespace
        return slices.profile(config, lambda name: self._caches.profiles.get(name, home))


def of_project(caches: Caches, project: Project) -> list[Problem]:
    """Return what says why a project cannot be as its spec says."""
    name = project.metadata.name
    taken = _taken(caches, names.project_namespace(name), tenancy.project_labels(name))
    return validation.project(project.spec, name, taken)


def of_cluster(caches: Caches, member: Member, cluster: Cluster) -> list[Problem]:
    """Return what says why a cluster cannot be as its spec says."""
    home = cluster.metadata.namespace
    labels = _labels(caches, home)
    is_held = names.CLUSTER_LABEL in labels or caches.projects.get(member.project, names.HUB_NAMESPACE) is not None
    misplaced = validation.home(home, labels if is_held else {})
    if misplaced:
        return misplaced
    was_given = cluster.status.cluster_namespace == member.namespace
    taken = _taken(caches, member.namespace, tenancy.cluster_labels(member), was_given=was_given)
    return validation.cluster(cluster.spec, member.name, member.project, taken)


def _taken(caches: Caches, namespace: str, expected: Mapping[str, str], *, was_given: bool = False) -> dict[str, str]:
    """Return the namespace with words that say whose it is, when that is somebody else's."""
    labels = _labels(caches, namespace) if caches.namespaces.get(namespace) else None
    owner = tenancy.other_owner(labels, expected, was_given=was_given)
    return {namespace: owner} if owner else {}


def _labels(caches: Caches, namespace: str) -> dict[str, str]:
    found = caches.namespaces.get(namespace)
    return objects.labels(found) if found else {}


def _generations(found: list[Object]) -> Hashable:
    return tuple((objects.uid(obj), obj["metadata"].get("generation")) for obj in found)


def _networks(members: list[Object]) -> Hashable:
    return tuple((objects.name(obj), tuple(objects.status(obj).get("cniSubnet") or [])) for obj in members)
