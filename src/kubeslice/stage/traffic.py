"""Traffic between two pods in both directions at once: many flows, TCP and UDP, small and bulk, and what they notice.

It runs while something is broken on purpose; `Traffic.since` says what that did to the application.
"""

import asyncio
import itertools
import secrets
import signal
import sys
import time
from asyncio.subprocess import Process
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from kubeslice.stage import places, sightings
from kubeslice.stage.application import Place
from kubeslice.stage.probes import NotMeasured
from kubeslice.stage.sightings import Sight, Telling

PORT = 7000
REMEMBERED = 16384
LINE = 1.0
SETTLE = 0.6
PATIENCE = 20.0


@dataclass(frozen=True)
class Load:
    """How many flows of each kind begin at each end."""

    small: int = 6
    bulk: int = 2


class Traffic:
    """Running meters at both ends; `marker` is what their packets are filled with."""

    def __init__(self, ends: Sequence[str], marker: str) -> None:
        self.marker = marker
        self.ends = ends
        self._told: deque[Telling] = deque(maxlen=REMEMBERED)

    async def listen(self, end: str, process: Process) -> None:
        """Take in what one end tells, for as long as it does."""
        assert process.stdout is not None
        async for line in process.stdout:
            self._told.append(sightings.read(end, line))

    def seen(self, since: float) -> Sight:
        """Return what the flows have noticed since a time (`time.monotonic`) as far as they told."""
        return sightings.sum_up(self._tail(since), since)

    async def since(self, started: float) -> Sight:
        """Return what the flows have noticed since a time, after they have told all of it."""
        await asyncio.sleep(SETTLE)
        return self.seen(started)

    def last_arrival(self, end: str) -> float:
        """Return when the last packet arrived at one end (`time.monotonic`). Raises `NotMeasured` when none did."""
        for telling in reversed(self._told):
            if telling.end == end and telling.flows:
                return telling.time - min(flow.silent for flow in telling.flows.values())
        raise NotMeasured(f"nothing ever arrived at {end}")

    async def quiet(self, seconds: float = 1.5, patience: float = PATIENCE) -> None:
        """Wait until everything flows and nothing gets lost for some seconds. Raises `NotMeasured`."""
        deadline = time.monotonic() + patience
        while not self._is_quiet(time.monotonic() - seconds):
            if time.monotonic() > deadline:
                seen = self.seen(time.monotonic() - seconds)
                raise NotMeasured(f"traffic did not settle within {patience:g} s: {seen}")
            await asyncio.sleep(0.1)

    def _is_quiet(self, since: float) -> bool:
        told = [telling for telling in self._tail(since) if telling.time > since]
        flowing = {telling.end for telling in told if telling.flows}
        silent = any(flow.silent > SETTLE for telling in told for flow in telling.flows.values())
        seen = sightings.sum_up(self._tail(since), since)
        return flowing == set(self.ends) and not silent and not seen.lost

    def _tail(self, since: float) -> list[Telling]:
        # With a line of each end from before, to which later counts are compared.
        told = list(itertools.takewhile(lambda telling: telling.time > since - LINE, reversed(self._told)))
        return told[::-1]


@asynccontextmanager
async def traffic(first: Place, second: Place, load: Load = Load(), port: int = PORT) -> AsyncIterator[Traffic]:
    """Let two pods talk to each other until the end of the body."""
    running = Traffic((first.target, second.target), f"marker-{secrets.token_hex(8)}-")
    processes = [await _meter(at, peer, load, port, running.marker) for at, peer in ((first, second), (second, first))]
    readers = [
        asyncio.create_task(running.listen(at.target, process))
        for at, process in zip((first, second), processes, strict=True)
    ]
    try:
        yield running
    finally:
        for process in processes:
            places.end(process)
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.gather(*readers, return_exceptions=True)
        for process in processes:
            places.end(process, signal.SIGKILL)
            await process.wait()


async def _meter(at: Place, peer: Place, load: Load, port: int, marker: str) -> Process:
    words = [peer.address, str(port), str(load.small), str(load.bulk), marker]
    return await places.spawn(at.target, [sys.executable, "-m", "kubeslice.stage.meter", *words])
