"""WorkerSliceGateways: every member's view of one other member of a slice.

One reconcile writes all views that lead to one cluster, so that a new key or port of a cluster costs as many writes as
there are peers to be told, and nothing is computed for the others.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubeslice.hub import fingerprints, groups
from kubeslice.hub.caches import Caches
from kubeslice.hub.groups import SliceName
from kubeslice.hub.rosters import Roster, cluster_of, generations_of, roster
from kubeslice.hub.verdicts import Verdicts
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import Item, sync
from kubeslice.model import names
from kubeslice.model.ids import OWN, Key
from kubeslice.model.resources import WORKERSLICEGATEWAYS
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.plan import gateways, keyrecords
from kubeslice.plan.gateways import Published
from kubeslice.runtime.controller import Result

log = logging.getLogger(__name__)


def key(name: SliceName, remote: str) -> Key:
    """Return the key of all views of a slice that lead to `remote`."""
    return Key(OWN, names.project_namespace(name.project), f"{name.name}/{remote}")


@dataclass(frozen=True)
class _Outlook:
    """What decides about the views that lead to one member; `slice` is None when there is no slice (any more)."""

    slice: Object | None
    roster: Roster
    published: Published
    is_refused: bool

    def fingerprint(self, seen: Sequence[Object]) -> bytes:
        """Return what stays the same as long as nothing changes for these views, as they were `seen`."""
        slice_seen = self.slice or {}
        spec, topology = objects.spec(slice_seen), objects.status(slice_seen).get("topology") or {}
        seats = self.roster.seats
        return fingerprints.of(
            # Who is listed and has no seat yet changes nothing; the order of the others does.
            {field: value for field, value in spec.items() if field != "clusters"},
            [cluster for cluster in spec.get("clusters") or [] if cluster in seats],
            [(seat.cluster, seat.octet, seat.subnet, seat.subnet_v6) for seat in seats.values()],
            (topology.get("relays"), topology.get("swapped"), self.is_refused, self.roster.config is None),
            (list(self.published.planes), list(self.published.node_ips)),
            [fingerprints.intent(view) for view in seen],
        )


@dataclass(frozen=True)
class Gateways:
    """Reconciles all views of one member of one slice."""

    api: Api
    caches: Caches
    verdicts: Verdicts
    _settled: dict[Key, bytes] = field(default_factory=dict)

    async def reconcile(self, key: Key) -> Result:
        """Write what the others have to know about the member, remove what they no longer need."""
        slice_name, _, remote = key.name.partition("/")
        name = SliceName(names.project_of(key.namespace), slice_name)
        seen = self.caches.views_of(name, remote)
        outlook = self._outlook(name, remote, seen)
        fingerprint = outlook.fingerprint(seen)
        if self._settled.get(key) == fingerprint:
            # A member that joins wakes the views of all others, and there is nothing new in most of them.
            return Result()
        wanted = self._wanted(name, remote, seen, outlook)
        mine = [obj for obj in wanted if self._is_free(obj)]
        self._settled.pop(key, None)
        changes = await sync(self.api, names.HUB_MANAGER, _items(mine), _items(seen))
        if not changes:
            if seen and len(mine) == len(wanted):
                self._settled[key] = fingerprint
            return Result()
        return Result(f"{len(changes.applied)} views of {remote} written, {len(changes.deleted)} removed")

    def _outlook(self, name: SliceName, remote: str, seen: Sequence[Object]) -> _Outlook:
        current, published = roster(self.caches, name), self._published(name, remote, seen)
        slice_seen = self.caches.slices.get(name.name, names.project_namespace(name.project))
        if slice_seen is None or current.config is None:
            return _Outlook(slice_seen, current, published, is_refused=False)
        problems = self.verdicts.problems(slice_seen, current.config)
        return _Outlook(slice_seen, current, published, is_refused=bool(problems))

    def _wanted(self, name: SliceName, remote: str, seen: Sequence[Object], outlook: _Outlook) -> list[Object]:
        slice_seen, current, published = outlook.slice, outlook.roster, outlook.published
        if current.config is None or slice_seen is None:
            return []
        if outlook.is_refused:
            # Whom a refused spec connects does not count: who is connected stays so, and goes on hearing of the other.
            here = [view for view in seen if cluster_of(view) in current.seats and not objects.is_deleting(view)]
            return [gateways.renewed(view, published) for view in here if remote in current.seats]
        detours = gateways.detours(objects.status(slice_seen))
        found = gateways.views(name.project, current.config, current.seats, remote, published, detours)
        known = {objects.namespace(view) for view in seen}
        # Of a cluster that says nothing about its gateways there is nothing to tell yet: saves a write for each peer.
        return [view for view in found if published.planes or objects.namespace(view) in known]

    def _published(self, name: SliceName, cluster: str, seen: Sequence[Object]) -> Published:
        registered = self.caches.clusters.get(cluster, names.project_namespace(name.project))
        addresses = (objects.status(registered).get("nodeIPs") if registered else None) or ()
        reports = [config for config in self.caches.configs_of(name) if cluster_of(config) == cluster]
        reported = [gateway for config in reports[:1] for gateway in objects.status(config).get("gateways") or []]
        if not reported:
            # Its report was lost with a restored hub, or is the first to come: what others were told of it stands.
            return gateways.told(seen, addresses)
        return Published(self._accepted(name, cluster, reported), addresses)

    def _accepted(
        self, name: SliceName, cluster: str, reported: Sequence[Mapping[str, Any]]
    ) -> Sequence[Mapping[str, Any]]:
        config = self.caches.slices.get(name.name, names.project_namespace(name.project))
        rotation = self.caches.rotations.get(name.name, names.project_namespace(name.project))
        if config is None:
            return []
        records = keyrecords.parse(objects.status(rotation).get("keys") or []) if rotation else []
        in_force = generations_of(self.caches, name, SliceConfig.parse(config))
        return keyrecords.accepted(cluster, reported, records, in_force)

    def _is_free(self, wanted: Object) -> bool:
        # Slice a-b with cluster c and slice a with clusters b and c can want the same name: the first one keeps it.
        found = self.caches.gateways.get(objects.name(wanted), objects.namespace(wanted))
        is_free = found is None or list(groups.slice_and_remote(found)) == list(groups.slice_and_remote(wanted))
        if not is_free:
            log.warning("%s is the gateway of another slice: rename one of the two slices", objects.name(wanted))
        return is_free


def _items(found: list[Object]) -> list[Item]:
    return [Item(WORKERSLICEGATEWAYS, obj) for obj in found]
