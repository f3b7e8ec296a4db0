"""The operator while it leads: follows both clusters, runs one controller per kind, and keeps the heartbeat."""

import asyncio
from collections.abc import Iterable

from kubeslice.kube.api import Api
from kubeslice.kube.events import Recorder
from kubeslice.model import names
from kubeslice.model.ids import Key
from kubeslice.runtime.clock import SystemClock
from kubeslice.runtime.controller import Controller, Reconciler
from kubeslice.runtime.metrics import CollectorRegistry, ControllerMetrics
from kubeslice.runtime.reporting import Reporter
from kubeslice.runtime.sources import Source
from kubeslice.worker import keys
from kubeslice.worker.caches import Caches, HubCaches, OwnCaches
from kubeslice.worker.exports import Exports
from kubeslice.worker.forwarding import Forwarding
from kubeslice.worker.gateways import Gateways
from kubeslice.worker.hublink import HubLink, Place
from kubeslice.worker.hubtoken import HubToken
from kubeslice.worker.imports import Imports
from kubeslice.worker.leaving import Leaving
from kubeslice.worker.metrics import WorkerMetrics
from kubeslice.worker.namespaces import Namespaces
from kubeslice.worker.planekeys import PlaneKeys
from kubeslice.worker.quotas import Quotas
from kubeslice.worker.registration import Registration
from kubeslice.worker.renewal import Renewal
from kubeslice.worker.settings import Settings
from kubeslice.worker.slices import Slices
from kubeslice.worker.standing import Standing
from kubeslice.worker.triggers import Triggers
from kubeslice.worker.workloads import Workloads


class Operator:
    """The object graph of one term of leadership."""

    def __init__(
        self,
        own: Api,
        hub: Api,
        token: HubToken,
        chosen: Settings,
        metrics: ControllerMetrics,
        registry: CollectorRegistry,
    ) -> None:
        clock = SystemClock()
        counted = WorkerMetrics(registry)
        self.caches = Caches(
            OwnCaches(own), HubCaches(hub, chosen.cluster, chosen.hub_namespace, chosen.project_namespace)
        )
        self.link = HubLink(chosen.cluster, counted)
        self._metrics = metrics
        self._triggered: list[tuple[Controller, list[Source]]] = []
        self._triggers = Triggers(self.caches)
        here = Reporter(own, names.WORKER_MANAGER, Recorder(own, names.WORKER_MANAGER), clock)
        there = Reporter(hub, names.WORKER_MANAGER, None, clock)
        place = Place(chosen.cluster, chosen.project_namespace)
        token.follow(self.caches.own.hub_secret)
        self.renewal = Renewal(hub, self.link, place, self.caches, token, here, counted)
        leaving = Leaving(own, self.caches)
        self.registration = Registration(hub, place, self.caches, here, self.link, leaving, self.renewal, counted)
        token.subscribe(self.registration.hurry)
        triggers = self._triggers
        slices = Slices(own, hub, self.caches, chosen.cluster)
        standing = Standing(self.caches, here, there, self.link, counted, clock)
        gateways = Gateways(own, hub, self.caches, here, there, clock)
        project = names.project_of(chosen.project_namespace)
        plane_keys = PlaneKeys(own, self.caches, project, chosen.cluster, keys.makers())
        self.slices = self._controller("slices", slices, triggers.slices(), concurrency=1)
        self.namespaces = self._controller("namespaces", Namespaces(own, self.caches, here), triggers.namespaces())
        self.workloads = self._controller(
            "workloads", Workloads(own, self.caches, chosen.build, plane_keys, clock), triggers.workloads()
        )
        self.standing = self._controller("standing", standing, triggers.standing())
        self.gateways = self._controller("gateways", gateways, triggers.gateways())
        self.exports = self._controller(
            "exports", Exports(hub, self.caches, here, chosen.cluster), triggers.exports(), concurrency=8
        )
        self.imports = self._controller(
            "imports", Imports(own, hub, self.caches, here, there), triggers.imports(), concurrency=8
        )
        self.quotas = self._controller("quotas", Quotas(own, self.caches), triggers.quotas())
        self.forwarding = self._controller("forwarding", Forwarding(own, self.caches, here), triggers.forwarding())
        self.link.subscribe(lambda: _enqueue(self.standing, triggers.all_slices()))

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.caches.run(), name="caches")
            group.create_task(self.registration.run(), name="registration")
            group.create_task(self.renewal.run(), name="renewal")
            group.create_task(self._when_hub_is_known(), name="hub-known")
            for controller, sources in self._triggered:
                group.create_task(self._start(controller, sources), name=controller.name)

    async def _start(self, controller: Controller, sources: list[Source]) -> None:
        for informer in self.caches.own.informers:
            await informer.synced.wait()
        for source in sources:
            source.connect(controller.enqueue)
        await controller.run()

    def _controller(
        self, name: str, reconciler: Reconciler, sources: list[Source], *, concurrency: int = 4
    ) -> Controller:
        controller = Controller(name, reconciler, [], concurrency=concurrency, metrics=self._metrics)
        self._triggered.append((controller, sources))
        return controller

    async def _when_hub_is_known(self) -> None:
        """Look at everything once more when the hub's wishes are complete: what it does not mention must go."""
        for informer in [*self.caches.own.informers, *self.caches.hub.informers]:
            await informer.synced.wait()
        _enqueue(self.slices, self._triggers.all_slices())
        _enqueue(self.workloads, self._triggers.all_slices())
        _enqueue(self.gateways, self._triggers.all_gateways())
        _enqueue(self.imports, self._triggers.all_imports())
        _enqueue(self.exports, self._triggers.all_exports())


def _enqueue(controller: Controller, found: Iterable[Key]) -> None:
    for key in found:
        controller.enqueue(key)
