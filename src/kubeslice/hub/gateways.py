"""WorkerSliceGateways: every member's view of one other member of a slice.

One reconcile writes all views that lead to one cluster, so that a new key or port of a cluster costs as many writes as
there are peers to be told, and nothing is computed for the others.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kubeslice.hub import fingerprints, groups
from kubeslice.hub.caches import Caches
from kubeslice.hub.groups import SliceName
from kubeslice.hub.index import Versions
from kubeslice.hub.prospects import Prospect, Prospects
from kubeslice.hub.rosters import cluster_of
from kubeslice.hub.verdicts import Verdicts
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import Item, sync
from kubeslice.model import names
from kubeslice.model.ids import OWN, Key
from kubeslice.model.resources import WORKERSLICEGATEWAYS
from kubeslice.plan.hub import gateways
from kubeslice.plan.hub.gateways import Published, Terrain
from kubeslice.plan.keys import keyrecords
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.plan.tunnels.pairs import Side
from kubeslice.runtime.controller import Result

log = logging.getLogger(__name__)

Basis = tuple[Any, ...]
Version = tuple[int, int]
UNSETTLED = (-1, -1)


def key(name: SliceName, remote: str) -> Key:
    """Return the key of all views of a slice that lead to `remote`."""
    return Key(OWN, names.project_namespace(name.project), f"{name.name}/{remote}")


@dataclass(frozen=True)
class _Settled:
    """What the views that lead to a member followed from when they were right, all together and by their cluster."""

    prospect: Prospect
    published: Published
    version: Version
    bases: Mapping[str, Basis]


class Gateways:
    """Reconciles all views of one member of one slice."""

    def __init__(self, api: Api, caches: Caches, verdicts: Verdicts) -> None:
        self._api = api
        self._caches = caches
        self._prospects = Prospects(caches, verdicts)
        self._versions = Versions(caches.gateways, groups.slice_and_remote, fingerprints.intent)
        self._keys = Versions(caches.secrets, groups.slice_and_remote, objects.uid)
        self._settled: dict[Key, _Settled] = {}

    async def reconcile(self, key: Key) -> Result:
        """Write what the others have to know about the member, remove what they no longer need."""
        slice_name, _, remote = key.name.partition("/")
        name = SliceName(names.project_of(key.namespace), slice_name)
        prospect, version = self._prospects.of(name), (self._versions.of((name, remote)), self._keys.of((name, remote)))
        published, settled = self._published(name, remote, prospect), self._settled.get(key)
        if settled and (settled.prospect, settled.version, settled.published) == (prospect, version, published):
            # A member that joins wakes the views of all others, as does every view that was written.
            return Result()
        self._settled.pop(key, None)
        seen = self._caches.views_of(name, remote)
        if prospect.terrain is None:
            return await self._write(remote, [], seen)
        if prospect.is_refused:
            # Whom a refused spec connects does not count: who is connected stays so, and goes on hearing of the other.
            here = [view for view in seen if cluster_of(view) in prospect.seats and not objects.is_deleting(view)]
            kept = [gateways.renewed(view, published) for view in here if remote in prospect.seats]
            return await self._write(remote, kept, seen)
        return await self._settle(key, prospect.terrain, _Settled(prospect, published, version, {}), seen, settled)

    async def _settle(
        self, key: Key, terrain: Terrain, now: _Settled, seen: Sequence[Object], before: _Settled | None
    ) -> Result:
        """Write the views that follow from something else than they did `before`, and remember what the others do."""
        remote = key.name.partition("/")[2]
        sides = {side.local: side for side in terrain.sides_to(remote)}
        known = {cluster_of(view): view for view in seen if _is_of(view, sides)}
        told = [side for local, side in sides.items() if local in known or self._is_due(terrain.project, side, now)]
        bases = {side.local: _basis(terrain, side, now, known.get(side.local)) for side in told}
        stale = [side for side in told if before is None or before.bases.get(side.local) != bases[side.local]]
        wanted = [
            terrain.view(side, now.published, self._holders(terrain.project, side, known.get(side.local)))
            for side in stale
        ]
        mine = [view for view in wanted if self._is_free(view)]
        unwanted = [view for view in seen if not _is_of(view, sides)]
        result = await self._write(
            remote, mine, [*unwanted, *(known[side.local] for side in stale if side.local in known)]
        )
        if result.sentence:
            bases = {local: basis for local, basis in bases.items() if local not in {side.local for side in stale}}
        is_all = not result.sentence and len(mine) == len(wanted)
        self._settled[key] = replace(now, bases=bases, version=now.version if is_all else UNSETTLED)
        return result

    def _is_due(self, project: str, side: Side, now: _Settled) -> bool:
        """Tell whether there is enough to tell of the other side for a tunnel.

        Of a cluster that says nothing about its gateways there is nothing to tell yet: saves a write for each peer. A
        view that comes before the pre-shared key makes its worker wait, and say so: a write for each view.
        """
        return (
            bool(now.published.planes)
            and self._caches.secret(side.name, Member(project, side.local).namespace) is not None
        )

    def _holders(self, project: str, side: Side, view: Object | None) -> list[str]:
        name, home = names.worker_slice_config(side.slice_name, side.local), Member(project, side.local).namespace
        config = self._caches.configs.get(name, home)
        is_held = config is not None and objects.has_finalizer(config, names.WORKER_SLICE_CONFIG_FINALIZER)
        return gateways.holders(view, is_held=is_held)

    async def _write(self, remote: str, wanted: Sequence[Object], seen: Sequence[Object]) -> Result:
        changes = await sync(self._api, names.HUB_MANAGER, _items(wanted), _items(seen))
        if not changes:
            return Result()
        return Result(f"{len(changes.applied)} views of {remote} written, {len(changes.deleted)} removed")

    def _published(self, name: SliceName, cluster: str, prospect: Prospect) -> Published:
        member = Member(name.project, cluster)
        registered = self._caches.clusters.get(cluster, names.project_namespace(name.project))
        addresses = (objects.status(registered).get("nodeIPs") if registered else None) or ()
        config = self._caches.configs.get(names.worker_slice_config(name.name, cluster), member.namespace)
        is_genuine = config is not None and self._caches.genuine([config]) and cluster_of(config) == cluster
        reported = (objects.status(config).get("gateways") or []) if config is not None and is_genuine else []
        if not reported:
            # Its report was lost with a restored hub, or is the first to come: what others were told of it stands.
            return gateways.told(self._caches.views_of(name, cluster), addresses)
        if prospect.terrain is None:
            return Published((), addresses)
        return Published(keyrecords.accepted(cluster, reported, prospect.records, prospect.in_force), addresses)

    def _is_free(self, wanted: Object) -> bool:
        # Slice a-b with cluster c and slice a with clusters b and c can want the same name: the first one keeps it.
        found = self._caches.gateways.get(objects.name(wanted), objects.namespace(wanted))
        is_free = found is None or list(groups.slice_and_remote(found)) == list(groups.slice_and_remote(wanted))
        if not is_free:
            log.warning("%s is the gateway of another slice: rename one of the two slices", objects.name(wanted))
        return is_free


def _is_of(view: Object, sides: Mapping[str, Side]) -> bool:
    side = sides.get(cluster_of(view))
    return side is not None and objects.name(view) == side.name


def _basis(terrain: Terrain, side: Side, now: _Settled, view: Object | None) -> Basis:
    """Return what a view follows from, and as what it is there: while this stays, so does the view."""
    return now.prospect.basis, now.published, terrain.basis(side), view and fingerprints.intent(view)


def _items(found: Sequence[Object]) -> list[Item]:
    return [Item(WORKERSLICEGATEWAYS, obj) for obj in found]
