"""One replica of the hub: waits for the lease, then follows the API server and reconciles until the lease is lost."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from kubeslice.hub.bulletin import Bulletin
from kubeslice.hub.caches import Caches
from kubeslice.hub.clusters import Clusters
from kubeslice.hub.connections import Connections
from kubeslice.hub.defaultslices import DefaultSlices
from kubeslice.hub.exports import Exports
from kubeslice.hub.gateways import Gateways
from kubeslice.hub.heartbeats import Heartbeats
from kubeslice.hub.metrics import HubMetrics
from kubeslice.hub.pools import Pools
from kubeslice.hub.presharedkeys import PreSharedKeys
from kubeslice.hub.projects import Projects
from kubeslice.hub.quotas import Limits, Quotas
from kubeslice.hub.recyclers import Recyclers
from kubeslice.hub.rotation import Rotations
from kubeslice.hub.slices import Slices
from kubeslice.hub.verdicts import Verdicts
from kubeslice.hub.wiring import Wiring
from kubeslice.kube.api import Api
from kubeslice.kube.applyset import PARALLEL
from kubeslice.kube.events import Recorder
from kubeslice.kube.lease import HUB_DURATION, Leader, LeadershipLost
from kubeslice.model import names
from kubeslice.plan.hub.clusters import SILENCE_LIMIT
from kubeslice.plan.tenants.credentials import DEFAULT_SECONDS
from kubeslice.runtime.clock import Clock
from kubeslice.runtime.controller import CONCURRENCY, Controller, Reconciler
from kubeslice.runtime.metrics import ControllerMetrics
from kubeslice.runtime.reporting import Reporter
from kubeslice.runtime.sources import Source

log = logging.getLogger(__name__)

Maker = Callable[[], Controller]

# Of the event loop, for what looks at all tunnels of a slice: their number is the square of that of the clusters.
SHARE = 0.1
# Each view of a member that joins is another key with one write: as many go at once as one key writes of its own.
WRITERS = PARALLEL


@dataclass(frozen=True)
class Settings:
    """Who this replica is, the hub's URL as workers reach it, how many seconds of their silence it accepts.

    `term` is for how many seconds the lease counts, `credential_seconds` how long the tokens live that workers get.
    """

    identity: str
    endpoint: str
    namespace: str = names.HUB_NAMESPACE
    silence: float = SILENCE_LIMIT
    term: float = HUB_DURATION
    credential_seconds: int = DEFAULT_SECONDS


class Hub:
    """The hub's controllers over one API server."""

    def __init__(
        self, api: Api, settings: Settings, clock: Clock, metrics: ControllerMetrics, own_metrics: HubMetrics
    ) -> None:
        self._api = api
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._own_metrics = own_metrics
        self._caches: Caches | None = None

    @property
    def is_ready(self) -> bool:
        """Tell whether this replica does its part: it knows everything, and leads or stands by."""
        return self._caches is not None and self._caches.is_synced

    async def run(self) -> None:
        """Stand for the lease again and again; losing it (an API server that is away) ends a term, not the process.

        It follows the API server from the start, so that whoever takes over knows everything already.
        """
        caches = self._caches = Caches(self._api)
        recorder = Recorder(self._api, names.HUB_MANAGER)
        makers = self._controllers(caches, recorder)
        async with asyncio.TaskGroup() as group:
            group.create_task(caches.run(), name="caches")
            while True:
                try:
                    await self._term(caches, makers, recorder)
                except* LeadershipLost as lost:
                    log.warning("%s; standing by", _first(lost))

    async def _term(self, caches: Caches, makers: Sequence[Maker], recorder: Recorder) -> None:
        """Wait for the lease, reconcile until it is lost."""
        chosen = self._settings
        leader = Leader(self._api, names.LEADER_LEASE, chosen.namespace, chosen.identity, chosen.term)

        async def lead() -> None:
            await caches.synced()
            self._own_metrics.leading.set(1)
            try:
                async with asyncio.TaskGroup() as group:
                    for make in makers:
                        controller = make()
                        group.create_task(controller.run(), name=controller.name)
                    await recorder.emit(leader.lease, "Normal", "BecameActive", f"{chosen.identity} leads")
            finally:
                self._own_metrics.end_term()

        await leader.run(lead)

    def _controllers(self, caches: Caches, recorder: Recorder) -> list[Maker]:
        """Return what makes the controllers of a term; what they reconcile with lives as long as the caches."""
        beats = Heartbeats(caches.clusters, self._clock)
        api, wiring = self._api, Wiring(caches)
        reporter = Reporter(api, names.HUB_MANAGER, recorder, self._clock)
        settings, gauges = self._settings, self._own_metrics
        life = settings.credential_seconds
        clusters = Clusters(api, caches, reporter, beats, settings.endpoint, settings.silence, life, gauges)
        verdicts, connections = Verdicts(caches), Connections(caches, self._clock)
        limits = Limits(caches, verdicts)
        pools = Pools(api, caches, reporter, gauges.pools)
        slices = Slices(api, caches, reporter, verdicts, connections, Bulletin(reporter), gauges, pools, limits)
        rotations = Rotations(api, caches, reporter, PreSharedKeys(api, caches), gauges)
        return [
            self._controller("project", Projects(api, caches, reporter), wiring.projects()),
            self._controller("cluster", clusters, wiring.clusters()),
            self._controller("slice", slices, wiring.slices(), share=SHARE),
            self._controller("gateway", Gateways(api, caches, verdicts), wiring.gateways(), concurrency=WRITERS),
            self._controller("quota", Quotas(limits, reporter, gauges.quotas), wiring.quotas()),
            self._controller("rotation", rotations, wiring.rotations(), share=SHARE),
            self._controller("export", Exports(api, caches, reporter), wiring.exports()),
            self._controller("default-slice", DefaultSlices(api, caches), wiring.default_slices()),
            self._controller("recycler", Recyclers(caches, reporter), wiring.recyclers()),
        ]

    def _controller(
        self,
        name: str,
        reconciler: Reconciler,
        sources: Sequence[Source],
        *,
        share: float = 1.0,
        concurrency: int = CONCURRENCY,
    ) -> Maker:
        return partial(
            Controller, name, reconciler, sources, share=share, concurrency=concurrency, metrics=self._metrics
        )


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first failure in a group of failures."""
    found = several.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
