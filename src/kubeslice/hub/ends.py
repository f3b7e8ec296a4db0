"""Objects that stand for one end of a pair of clusters, views and pre-shared keys, by slice and both clusters.

Kept up to date change by change: whoever looks at every tunnel of a slice finds them sorted, and asks who lies about
its place once for each cluster, not for each of its objects.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from kubeslice.hub import groups
from kubeslice.hub.groups import SliceName
from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.informer import Informer
from kubeslice.model import names
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.plan.tunnels.topology import Pair

Row = Mapping[str, Object]


class _Place(NamedTuple):
    namespace: str
    cluster: str


class Ends:
    """The objects of one informer; `member` tells which cluster a namespace belongs to."""

    def __init__(self, informer: Informer, member: Callable[[str], Member | None]) -> None:
        self._member = member
        self._rows: dict[SliceName, dict[_Place, dict[str, Object]]] = {}
        informer.subscribe(self._changed)

    def rows(self, name: SliceName) -> dict[str, Row]:
        """Return what each cluster of a slice has, by the other cluster; only what is in that cluster's namespace."""
        return {
            place.cluster: row
            for place, row in (self._rows.get(name) or {}).items()
            if self._member(place.namespace) == Member(name.project, place.cluster)
        }

    def pairs(self, name: SliceName) -> Iterator[tuple[Pair, Object]]:
        """Return all of a slice with the cluster that has it and the other one."""
        for local, row in self.rows(name).items():
            for remote, obj in row.items():
                yield (local, remote), obj

    def _changed(self, old: Object | None, new: Object | None) -> None:
        before, after = _where(old), _where(new)
        if before is not None and before != after:
            self._drop(*before)
        if after is not None and new is not None:
            name, place, remote = after
            self._rows.setdefault(name, {}).setdefault(place, {})[remote] = new

    def _drop(self, name: SliceName, place: _Place, remote: str) -> None:
        places = self._rows[name]
        del places[place][remote]
        if not places[place]:
            del places[place]
        if not places:
            del self._rows[name]


def _where(obj: Object | None) -> tuple[SliceName, _Place, str] | None:
    """Return slice, place and other cluster of what is called as the hub calls it; labels alone could lie."""
    labels = objects.labels(obj) if obj else {}
    cluster, remote = labels.get(names.CLUSTER_LABEL), labels.get(names.REMOTE_CLUSTER_LABEL)
    if obj is None or not cluster or not remote:
        return None
    for name in groups.slice_name(obj):
        if objects.name(obj) == names.slice_gateway(name.name, cluster, remote):
            return name, _Place(objects.namespace(obj), cluster), remote
    return None
