"""Keeps BIRD running with the configuration that the Slice and its SliceGateways ask for."""

import asyncio
import contextlib
import socket
import time
from pathlib import Path

from kubeslice.kube.informer import Informer
from kubeslice.linux import bird as control
from kubeslice.linux import nftables
from kubeslice.linux.process import Program
from kubeslice.model.errors import Retry
from kubeslice.model.ids import Key
from kubeslice.model.names import OVERLAY_INTERFACE
from kubeslice.plan import bird, filters
from kubeslice.plan import segment as segments
from kubeslice.plan.bird import Session
from kubeslice.plan.segment import Segment
from kubeslice.router.metrics import RouterMetrics
from kubeslice.runtime.controller import Result

RESYNC = 60.0
EAGER, UNEASY, QUIET = 0.1, 1.0, 5.0  # seconds between questions to BIRD
EAGERNESS = 5.0  # seconds after a change


class Bird:
    """One BIRD with its files in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.socket = directory / "bird.ctl"
        self._file = directory / "bird.conf"
        self._configured = asyncio.Event()
        self._running_with = ""
        command = ["bird", "-f", "-c", str(self._file), "-s", str(self.socket)]
        self.program = Program(command, started=self._started)

    @property
    def is_up(self) -> bool:
        """Tell whether BIRD runs."""
        return self.program.is_running

    async def run(self) -> None:
        """Run BIRD from the first configuration on, until cancelled."""
        await self._configured.wait()
        await self.program.run()

    async def configure(self, text: str) -> bool:
        """Give BIRD a configuration; tell whether it is another than before. Raises `Retry`."""
        if text == self._running_with:
            return False
        await asyncio.to_thread(self._file.write_text, text)
        if self._configured.is_set():
            await control.configure(self.socket)
        self._configured.set()
        self._running_with = text
        return True

    def _started(self) -> None:
        self._running_with = self._file.read_text()


class RouterReconciler:
    """Reconciles the one slice a router belongs to."""

    def __init__(self, slices: Informer, gateways: Informer, number: int, bird_: Bird) -> None:
        self.sessions: dict[str, Session] = {}
        self.changed = asyncio.Event()
        self._slices = slices
        self._gateways = gateways
        self._number = number
        self._bird = bird_

    async def reconcile(self, key: Key) -> Result:
        """Bring filter and BIRD in line."""
        obj = self._slices.get(key.name, key.namespace)
        own = segments.parse(obj, "") if obj is not None else None
        if own is None:
            return Result("waits for the slice to have its addresses")
        if OVERLAY_INTERFACE not in {name for _, name in socket.if_nameindex()}:
            raise Retry(f"{OVERLAY_INTERFACE} is not there yet: the agent of this node makes it", after=0.05)
        wanted = bird.sessions(own, self._gateways.items())
        await asyncio.to_thread(_filter, own, wanted)
        is_new = await self._bird.configure(bird.configuration(own, wanted, self._number))
        self.sessions = {session.name: session for session in wanted}
        if is_new:
            self.changed.set()
        return Result(f"routes to {len({session.cluster for session in wanted})} clusters", after=RESYNC)


class Watch:
    """Asks BIRD how its sessions are: often while one of them is not up, now and then when all are.

    The questions also hurry it. BIRD 2.0 leaves a route that it has just queued for a peer until its main loop wakes
    again, which in a quiet router takes up to 3 s; a command on its control socket wakes it.
    """

    def __init__(self, metrics: RouterMetrics, bird_: Bird, reconciler: RouterReconciler) -> None:
        self._metrics = metrics
        self._bird = bird_
        self._reconciler = reconciler
        self._eager_until = 0.0
        self._were_up = False

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            are_up = await self._ask()
            is_settled = are_up and self._were_up
            self._were_up = are_up
            is_eager = time.monotonic() < self._eager_until
            await self._wait(QUIET if is_settled else EAGER if is_eager else UNEASY)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._reconciler.changed.wait()
                self._reconciler.changed.clear()
                self._eager_until = time.monotonic() + EAGERNESS
                self._were_up = False

    async def _ask(self) -> bool:
        """Return whether every session is up."""
        self._metrics.restarts.set(self._bird.program.restarts)
        try:
            established = await control.sessions(self._bird.socket)
        except Retry:
            established = {}
        wanted = self._reconciler.sessions
        for name, session in wanted.items():
            self._metrics.up.labels(session.cluster, str(session.plane)).set(established.get(name, False))
        return all(established.get(name, False) for name in wanted)


def _filter(segment: Segment, sessions: list[Session]) -> None:
    nftables.ensure(filters.router(segment.subnet, {session.neighbour for session in sessions}))
