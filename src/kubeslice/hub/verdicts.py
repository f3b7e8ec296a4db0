"""Is a SliceConfig acceptable beside the other objects of its project? Remembered until one of those changes.

A slice is looked at whenever one of its tunnels comes up; what it may be does not change with that.
"""

from collections.abc import Hashable, Mapping
from typing import Any

from kubeslice.hub.caches import Caches
from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model import names
from kubeslice.model.cluster import Cluster
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.plan import effective, validation
from kubeslice.plan.validation import Problem

Name = tuple[str, str]


class Verdicts:
    """Checks slices by `plan.validation` with what the caches hold."""

    def __init__(self, caches: Caches) -> None:
        self._caches = caches
        self._known: dict[Name, tuple[Hashable, list[Problem]]] = {}

    def problems(self, obj: Object, config: SliceConfig) -> list[Problem]:
        """Return what says why a slice cannot be as its spec says; empty when it can."""
        name = objects.namespace(obj), objects.name(obj)
        earlier = [other for other in self._caches.slices_by_project.of(name[0]) if _seniority(other) < _seniority(obj)]
        members = self._caches.clusters_by_project.of(name[0])
        profiles = [objects.name(profile) for profile in self._caches.profiles_by_project.of(name[0])]
        fingerprint = (_generations([obj, *earlier]), _networks(members), tuple(profiles))
        known = self._known.get(name)
        if known is None or known[0] != fingerprint:
            found = validation.slice_config(
                config.spec,
                objects.name(obj),
                {objects.name(other): SliceConfig.parse(other).spec for other in earlier},
                {objects.name(member): Cluster.parse(member) for member in members},
                profiles,
            )
            found += effective.impossible(config.spec)
            known = self._known[name] = (fingerprint, found)
        return known[1]

    def profile(self, config: SliceConfig) -> Mapping[str, Any] | None:
        """Return the QoS profile of a slice in wire form: its own, the one it names, or the project's default."""
        if config.spec.qos_profile_details:
            return config.spec.qos_profile_details.wire()
        name = config.spec.standard_qos_profile_name or names.DEFAULT_QOS_PROFILE
        found = self._caches.profiles.get(name, config.metadata.namespace)
        return objects.spec(found) if found else None


def _seniority(obj: Object) -> tuple[str, str]:
    return str(obj["metadata"].get("creationTimestamp") or ""), objects.name(obj)


def _generations(found: list[Object]) -> Hashable:
    return tuple((objects.uid(obj), obj["metadata"].get("generation")) for obj in found)


def _networks(members: list[Object]) -> Hashable:
    return tuple((objects.name(obj), tuple(objects.status(obj).get("cniSubnet") or [])) for obj in members)
