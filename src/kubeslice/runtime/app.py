"""One process: named tasks in one task group, health and metrics beside them, an orderly end on SIGTERM or SIGINT."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine

from kubeslice.runtime import logs
from kubeslice.runtime.endpoints import Endpoints
from kubeslice.runtime.metrics import CollectorRegistry, ControllerMetrics
from kubeslice.runtime.settings import MissingSetting

log = logging.getLogger(__name__)

CLEANUP_TIMEOUT = 2.0
Service = Callable[[], Coroutine[None, None, None]]
Cleanup = Callable[[], Awaitable[None]]


class App:
    """The services of one component. `main` builds it by hand and returns `run()` as the exit status."""

    def __init__(self, component: str, health_port: int) -> None:
        logs.configure(component)
        self.component = component
        self.registry = CollectorRegistry()
        self.metrics = ControllerMetrics(self.registry)
        self._port = health_port
        self._services: list[tuple[str, Service]] = []
        self._leaves: list[tuple[Cleanup, float]] = []
        self._cleanups: list[tuple[Cleanup, float]] = []
        self._checks: list[Callable[[], bool]] = []

    def add(self, name: str, service: Service) -> None:
        """Run `service` for as long as the process lives; when it fails, the process ends and is started again."""
        self._services.append((name, service))

    def leave(self, action: Cleanup, seconds: float) -> None:
        """Await `action` when asked to stop, last added first, while the services still run, for so long at most.

        It is for what others must take over first; the pod's grace period has to be longer.
        """
        self._leaves.append((action, seconds))

    def cleanup(self, action: Cleanup) -> None:
        """Await `action` at the end, last added first."""
        self._cleanups.append((action, CLEANUP_TIMEOUT))

    def ready(self, check: Callable[[], bool]) -> None:
        """Answer /readyz with 200 only while `check` holds."""
        self._checks.append(check)

    def run(self) -> int:
        """Run everything until a signal; return the exit status."""
        try:
            return asyncio.run(self.main())
        except KeyboardInterrupt:
            return 130

    async def main(self) -> int:
        """Run everything inside the current event loop; return the exit status."""
        status = 0
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(service(), name=name) for name, service in self._all_services()]
                await stop.wait()
                log.info("stopping")
                await _each(self._leaves)
                for task in tasks:
                    task.cancel()
        except* Exception as failures:
            for failure in failures.exceptions:
                log.error("%s ends: %s", self.component, failure, exc_info=failure)
            status = 1
        finally:
            await _each(self._cleanups)
        return status

    def _all_services(self) -> list[tuple[str, Service]]:
        endpoints = Endpoints(self.registry, lambda: all(check() for check in self._checks))
        return [("endpoints", lambda: endpoints.serve(self._port)), *self._services]


async def _each(actions: list[tuple[Cleanup, float]]) -> None:
    """Await the actions, last first, each for its seconds at most; one that fails does not stop the others."""
    for action, seconds in reversed(actions):
        try:
            async with asyncio.timeout(seconds):
                await action()
        except Exception:
            log.exception("the end is not as orderly as it should be")


def start(component: str, build: Callable[[], App]) -> int:
    """Build the object graph and run it; a missing setting or credential is one clear line instead of a traceback."""
    logs.configure(component)
    try:
        app = build()
    except (MissingSetting, FileNotFoundError, KeyError) as error:
        log.error("%s cannot start: %s", component, error)
        return 1
    return app.run()
