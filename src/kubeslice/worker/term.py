"""The operator's work: follows its own cluster and a hub for each project, and runs one controller per kind."""

import asyncio
from collections.abc import Iterable, Sequence

from kubeslice.kube.api import Api
from kubeslice.kube.events import Recorder
from kubeslice.model import names
from kubeslice.model.ids import Key
from kubeslice.runtime.clock import SystemClock
from kubeslice.runtime.controller import Controller, Reconciler
from kubeslice.runtime.metrics import ControllerMetrics
from kubeslice.runtime.reporting import Reporter
from kubeslice.runtime.sources import Source
from kubeslice.worker import keys
from kubeslice.worker.caches import Caches, OwnCaches
from kubeslice.worker.enrollment import Enrollment
from kubeslice.worker.exports import Exports
from kubeslice.worker.forgotten import Forgotten
from kubeslice.worker.forwarding import Forwarding
from kubeslice.worker.gateways import Gateways
from kubeslice.worker.imports import Imports
from kubeslice.worker.incidents import Incidents
from kubeslice.worker.isolation import Isolator
from kubeslice.worker.membership import Membership
from kubeslice.worker.metrics import WorkerMetrics
from kubeslice.worker.namespaces import Namespaces
from kubeslice.worker.planekeys import PlaneKeys
from kubeslice.worker.quotas import Quotas
from kubeslice.worker.representation import Representation
from kubeslice.worker.settings import Settings
from kubeslice.worker.slices import Slices
from kubeslice.worker.standing import Standing
from kubeslice.worker.triggers import Triggers
from kubeslice.worker.workloads import Workloads


class Term:
    """The object graph that serves a set of projects until it becomes another."""

    def __init__(
        self,
        own: Api,
        enrolled: Sequence[Enrollment],
        chosen: Settings,
        metrics: ControllerMetrics,
        counted: WorkerMetrics,
    ) -> None:
        clock = SystemClock()
        memberships = [Membership(each, counted, clock) for each in enrolled]
        self.caches = Caches(OwnCaches(own), memberships, Forgotten(clock, chosen.keep_forgotten))
        self._metrics = metrics
        self._triggered: list[tuple[Controller, list[Source]]] = []
        here = Reporter(own, names.WORKER_MANAGER, Recorder(own, names.WORKER_MANAGER), clock)
        triggers = self._triggers = Triggers(self.caches)
        self.projects = [Representation(own, each, self.caches, here, counted) for each in memberships]
        standing = Standing(self.caches, here, counted, clock)
        plane_keys = PlaneKeys(own, self.caches, keys.makers())
        self.slices = self._controller("slices", Slices(own, self.caches, here), triggers.slices(), concurrency=1)
        self.namespaces = self._controller("namespaces", Namespaces(own, self.caches, here), triggers.namespaces())
        self.workloads = self._controller(
            "workloads", Workloads(own, self.caches, chosen.build, plane_keys, clock), triggers.workloads()
        )
        self.standing = self._controller("standing", standing, triggers.standing())
        self.gateways = self._controller("gateways", Gateways(own, self.caches, here, clock), triggers.gateways())
        self.exports = self._controller("exports", Exports(self.caches, here), triggers.exports(), concurrency=8)
        self.imports = self._controller("imports", Imports(own, self.caches, here), triggers.imports(), concurrency=8)
        self.quotas = self._controller("quotas", Quotas(own, self.caches), triggers.quotas())
        isolator = Isolator(own, self.caches, Incidents(self.caches, here))
        self.isolation = self._controller("isolation", isolator, triggers.isolation())
        self.forwarding = self._controller("forwarding", Forwarding(own, self.caches, here), triggers.forwarding())
        for membership in memberships:
            membership.link.subscribe(lambda: _enqueue(self.standing, triggers.all_slices()))

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.caches.run(), name="caches")
            for project in self.projects:
                group.create_task(project.run(), name=f"project-{project.name}")
                group.create_task(self._when_known(project.membership), name="hub-known")
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

    async def _when_known(self, membership: Membership) -> None:
        """Look at everything once more when a hub's wishes are complete: what it does not mention must go."""
        for informer in [*self.caches.own.informers, *membership.caches.informers]:
            await informer.synced.wait()
        _enqueue(self.slices, self._triggers.all_slices())
        _enqueue(self.workloads, self._triggers.all_slices())
        _enqueue(self.gateways, self._triggers.all_gateways())
        _enqueue(self.imports, self._triggers.all_imports())
        _enqueue(self.exports, self._triggers.all_exports())


def _enqueue(controller: Controller, found: Iterable[Key]) -> None:
    for key in found:
        controller.enqueue(key)
