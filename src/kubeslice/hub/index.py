"""Informers' objects by something other than their names, kept up to date change by change.

Reconcilers look up "all WorkerSliceGateways of this slice that point to that cluster" among hundreds of thousands;
an index answers in the size of the answer.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.informer import Informer

Name = tuple[str, str]
Group = TypeVar("Group", bound=Hashable)


class Index(Generic[Group]):
    """The objects of one informer by group; an object may belong to several groups or to none."""

    def __init__(self, informer: Informer, groups: Callable[[Object], Iterable[Group]]) -> None:
        self.informer = informer
        self._groups = groups
        self._members: dict[Group, dict[Name, Object]] = defaultdict(dict)
        informer.subscribe(self._changed)

    def of(self, group: Group) -> list[Object]:
        """Return the objects of a group by namespace and name."""
        members = self._members.get(group) or {}
        return [members[name] for name in sorted(members)]

    def _changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None:
            for group in self._groups(old):
                self._drop(group, _name(old))
        if new is not None:
            for group in self._groups(new):
                self._members[group][_name(new)] = new

    def _drop(self, group: Group, name: Name) -> None:
        members = self._members[group]
        members.pop(name, None)
        if not members:
            del self._members[group]


def _name(obj: Object) -> Name:
    return objects.namespace(obj), objects.name(obj)


class Versions(Generic[Group]):
    """How often something about the objects of a group has changed: what was made from it holds until the next time."""

    def __init__(
        self, informer: Informer, groups: Callable[[Object], Iterable[Group]], aspect: Callable[[Object], Hashable]
    ) -> None:
        self._groups = groups
        self._aspect = aspect
        self._numbers: dict[Group, int] = defaultdict(int)
        informer.subscribe(self._changed)

    def of(self, group: Group) -> int:
        """Return the number of the last change."""
        return self._numbers.get(group, 0)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and self._aspect(old) == self._aspect(new):
            return
        concerned = {group for obj in (old, new) if obj is not None for group in self._groups(obj)}
        for group in concerned:
            self._numbers[group] += 1
