"""One replica of the hub: waits for the lease, then follows the API server and reconciles until the lease is lost."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from kubeslice.hub.bulletin import Bulletin
from kubeslice.hub.caches import Caches
from kubeslice.hub.clusters import Clusters
from kubeslice.hub.connections import Connections
from kubeslice.hub.exports import Exports
from kubeslice.hub.gateways import Gateways
from kubeslice.hub.heartbeats import Heartbeats
from kubeslice.hub.metrics import HubMetrics
from kubeslice.hub.presharedkeys import PreSharedKeys
from kubeslice.hub.projects import Projects
from kubeslice.hub.recyclers import Recyclers
from kubeslice.hub.rotation import Rotations
from kubeslice.hub.slices import Slices
from kubeslice.hub.verdicts import Verdicts
from kubeslice.hub.wiring import Wiring
from kubeslice.kube.api import Api
from kubeslice.kube.events import Recorder
from kubeslice.kube.lease import Leader, LeadershipLost
from kubeslice.model import names
from kubeslice.plan.clusters import SILENCE_LIMIT
from kubeslice.runtime.clock import Clock
from kubeslice.runtime.controller import Controller, Reconciler
from kubeslice.runtime.metrics import ControllerMetrics
from kubeslice.runtime.reporting import Reporter
from kubeslice.runtime.sources import Source

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """Who this replica is, the hub's URL as workers reach it, and how many seconds of their silence it accepts."""

    identity: str
    endpoint: str
    namespace: str = names.HUB_NAMESPACE
    silence: float = SILENCE_LIMIT


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
        """Tell whether this replica does its part: it stands by, or it leads and knows everything."""
        return self._caches is None or self._caches.is_synced

    async def run(self) -> None:
        """Stand for the lease again and again; losing it (an API server that is away) ends a term, not the process."""
        while True:
            leader = Leader(self._api, names.LEADER_LEASE, self._settings.namespace, self._settings.identity)
            try:
                await leader.run(self.lead)
            except* LeadershipLost as lost:
                log.warning("%s; standing by", lost.exceptions[0])

    async def lead(self) -> None:
        """Follow and reconcile until cancelled."""
        caches = self._caches = Caches(self._api)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(caches.run(), name="caches")
                await caches.synced()
                for controller in self._controllers(caches):
                    group.create_task(controller.run(), name=controller.name)
        finally:
            self._caches = None

    def _controllers(self, caches: Caches) -> list[Controller]:
        api, wiring = self._api, Wiring(caches)
        reporter = Reporter(api, names.HUB_MANAGER, Recorder(api, names.HUB_MANAGER), self._clock)
        beats = Heartbeats(caches.clusters, self._clock)
        settings, gauges = self._settings, self._own_metrics
        clusters = Clusters(api, caches, reporter, beats, settings.endpoint, settings.silence, gauges)
        verdicts, connections = Verdicts(caches), Connections(caches, self._clock)
        slices = Slices(api, caches, reporter, verdicts, connections, Bulletin(reporter), gauges)
        rotations = Rotations(api, caches, reporter, PreSharedKeys(api, caches), gauges)
        return [
            self._controller("project", Projects(api, caches, reporter), wiring.projects()),
            self._controller("cluster", clusters, wiring.clusters()),
            self._controller("slice", slices, wiring.slices()),
            self._controller("gateway", Gateways(api, caches, verdicts), wiring.gateways()),
            self._controller("rotation", rotations, wiring.rotations()),
            self._controller("export", Exports(api, caches, reporter), wiring.exports()),
            self._controller("recycler", Recyclers(caches, reporter), wiring.recyclers()),
        ]

    def _controller(self, name: str, reconciler: Reconciler, sources: Sequence[Source]) -> Controller:
        return Controller(name, reconciler, sources, metrics=self._metrics)
