"""The operator while it leads: serves the projects that this cluster has joined, and starts afresh when they change."""

import asyncio
import logging
from contextlib import AsyncExitStack

from kubeslice.kube.api import Api, Object
from kubeslice.kube.backoff import Backoff
from kubeslice.kube.errors import ApiError
from kubeslice.kube.informer import Informer
from kubeslice.runtime.metrics import CollectorRegistry, ControllerMetrics
from kubeslice.worker import enrollment
from kubeslice.worker.enrollment import Enrollment
from kubeslice.worker.metrics import WorkerMetrics
from kubeslice.worker.settings import Settings
from kubeslice.worker.term import Term

log = logging.getLogger(__name__)


class Operator:
    """Serves the `first` project and every further one. `term` is what it does at the moment."""

    def __init__(
        self, own: Api, first: Enrollment, chosen: Settings, metrics: ControllerMetrics, registry: CollectorRegistry
    ) -> None:
        self.term: Term | None = None
        self._own = own
        self._first = first
        self._chosen = chosen
        self._metrics = metrics
        self._counted = WorkerMetrics(registry)

    async def run(self) -> None:
        """Work until cancelled."""
        backoff = Backoff()
        while True:
            async with AsyncExitStack() as connections:
                try:
                    secrets = await enrollment.further(self._own)
                    joined = await enrollment.enroll(self._own, secrets, connections)
                except ApiError as error:
                    log.warning("cannot read which projects there are: %s", error.message)
                    await asyncio.sleep(backoff.next())
                    continue
                backoff.reset()
                self.term = Term(self._own, [self._first, *joined], self._chosen, self._metrics, self._counted)
                await _serve(self.term, secrets)
            log.info("the projects of this cluster are others now: starting afresh")


async def _serve(term: Term, secrets: list[Object]) -> None:
    """Work until the Secrets of further projects are others than these."""
    async with asyncio.TaskGroup() as group:
        work = group.create_task(term.run(), name="term")
        await _until_others(term.caches.own.further_secrets, enrollment.ways(secrets))
        work.cancel()


async def _until_others(known: Informer, ways: enrollment.Ways) -> None:
    changed = asyncio.Event()
    known.subscribe(lambda _old, _new: changed.set())
    await known.synced.wait()
    while enrollment.ways(known.items()) == ways:
        await changed.wait()
        changed.clear()
