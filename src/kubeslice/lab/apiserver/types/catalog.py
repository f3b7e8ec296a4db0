"""Everything that is served right now, by path and by kind; REST and discovery look things up here."""

import re
from collections.abc import Iterable

from kubeslice.lab.apiserver.types.resource import ResourceType

_ORDER = (
    "", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "apps", "batch",
    "networking.k8s.io", "policy", "rbac.authorization.k8s.io", "admissionregistration.k8s.io",
    "apiextensions.k8s.io", "scheduling.k8s.io", "coordination.k8s.io", "discovery.k8s.io",
)  # fmt: skip


class Catalog:
    """The served resources. `version` moves whenever they change, so that what is made from them can be kept."""

    def __init__(self, builtins: Iterable[ResourceType]) -> None:
        self._builtins = tuple(builtins)
        self._custom: dict[str, tuple[ResourceType, ...]] = {}
        self._by_path: dict[tuple[str, str, str], ResourceType] = {}
        self.version = 0
        self._index()

    def _index(self) -> None:
        self._by_path = {(one.group, one.version, one.plural): one for one in self.all()}
        self.version += 1

    def all(self) -> list[ResourceType]:
        """Return every served resource in every version."""
        return [*self._builtins, *(one for types in self._custom.values() for one in types)]

    def find(self, group: str, version: str, plural: str) -> ResourceType | None:
        """Return the resource at a path."""
        return self._by_path.get((group, version, plural))

    def set_custom(self, name: str, types: Iterable[ResourceType]) -> None:
        """Serve what a definition says, from now on; nothing when it says nothing any more."""
        found = tuple(types)
        if found:
            self._custom[name] = found
        else:
            self._custom.pop(name, None)
        self._index()

    def groups(self) -> list[str]:
        """Return the groups in kube-apiserver's order, custom ones by name at the end."""
        found = {one.group for one in self._by_path.values()}
        return [group for group in _ORDER if group in found] + sorted(found - set(_ORDER))

    def versions(self, group: str) -> list[str]:
        """Return the versions of a group, the preferred one first."""
        found = {one.version for one in self._by_path.values() if one.group == group}
        return sorted(found, key=_priority, reverse=True)

    def resources(self, group: str, version: str) -> list[ResourceType]:
        """Return the resources of a version of a group by name."""
        found = [one for one in self._by_path.values() if (one.group, one.version) == (group, version)]
        return sorted(found, key=lambda one: one.plural)


def _priority(version: str) -> tuple[int, int, int, str]:
    """Order versions as the API does: v2 > v1 > v1beta2 > v1beta1 > v1alpha1 > everything else."""
    number, stage, minor = _split(version)
    if not number:
        return (0, 0, 0, version)
    return ({"": 3, "beta": 2, "alpha": 1}[stage], number, minor, "")


def _split(version: str) -> tuple[int, str, int]:
    match = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    return (int(match[1]), match[2] or "", int(match[3] or 0)) if match else (0, "", 0)
