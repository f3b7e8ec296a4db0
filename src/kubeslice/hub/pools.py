"""SliceIpam: the parts of a Dynamic slice's subnet, written down before any cluster is told of its own.

Part of the reconcile of a slice. The status is written only over the version it was decided by, so that neither a
cache that lags behind nor a second hub that still believes to lead gives a part away twice.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from kubeslice.hub.caches import Caches
from kubeslice.hub.groups import SliceName
from kubeslice.hub.poolmetrics import PoolMetrics
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import Item, apply_if_needed, sync
from kubeslice.model import names
from kubeslice.model.errors import Retry, Terminal
from kubeslice.model.resources import SLICEIPAMS
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.plan.address import parts, pools
from kubeslice.plan.address.pools import Pool
from kubeslice.plan.problems import Problem
from kubeslice.runtime.reporting import Reporter


@dataclass(frozen=True)
class Allocation:
    """The octets of all members, or why there are none; `after` is when to look again, in seconds."""

    octets: Mapping[str, int]
    problem: Problem | None = None
    after: float | None = None


@dataclass(frozen=True)
class Pools:
    """Keeps the SliceIpams."""

    api: Api
    caches: Caches
    reporter: Reporter
    metrics: PoolMetrics

    async def allocate(
        self, name: SliceName, config: SliceConfig, present: Mapping[str, int], reported: Collection[str]
    ) -> Allocation:
        """Give every member its part and write that down.

        `present` are the octets of clusters that have a WorkerSliceConfig or a place in the slice's status, `reported`
        those whose worker has spoken of the slice. Raises `Retry` or `Conflict` when the SliceIpam has gone on.
        """
        clock = self.reporter.clock
        begun, now, cut = clock.monotonic(), clock.now(), parts.cut(config.spec)
        obj = await self._object(name, pools.wanted(name.project, config, cut))
        before = pools.pool(cut, objects.status(obj), present, now)
        try:
            octets = pools.octets(before, config.spec.clusters)
        except Terminal as refusal:
            self._count(name, before)
            return Allocation({}, Problem.of("spec.clusters", refusal), pools.next_look(before, now))
        after = pools.settled(before, octets, present, reported, now)
        fields = pools.status_fields(after)
        await self.reporter.report(SLICEIPAMS, obj, [pools.judge(after)], fields, unchanged=True)
        self._count(name, after)
        self.metrics.moved(name, *pools.moves(before, after), clock.monotonic() - begun)
        return Allocation(octets, after=pools.next_look(after, now))

    async def remove(self, name: SliceName) -> None:
        """Take the pool of a slice away that is gone from every cluster."""
        seen = self._seen(name)
        await sync(self.api, names.HUB_MANAGER, [], [Item(SLICEIPAMS, seen)] if seen else [])

    async def _object(self, name: SliceName, wanted: Object) -> Object:
        seen = self._seen(name)
        obj = await apply_if_needed(self.api, names.HUB_MANAGER, SLICEIPAMS, wanted, seen)
        if objects.status(obj) != (objects.status(seen) if seen else {}):
            raise Retry("the SliceIpam has gone on since it was read")
        return obj

    def _seen(self, name: SliceName) -> Object | None:
        return self.caches.pools.get(name.name, names.project_namespace(name.project))

    def _count(self, name: SliceName, pool: Pool) -> None:
        self.metrics.stand(name, pool.cut.count, pool.allocated, pool.available)
