"""Traffic of an application through a slice while something is broken: what was lost, and for how long."""

import asyncio
import itertools
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from kubeslice.stage import places
from kubeslice.stage.application import Place

LOOP = Path(__file__).with_name("client_loop.py")
SETTLE = 1.0


@dataclass(frozen=True)
class Request:
    """A request: when it began, how it was made (address, name, flow), and `ok` or what went wrong."""

    began: float
    kind: str
    result: str


class Traffic:
    """A client that asks all the time."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._seen: list[Request] = []

    async def read(self) -> None:
        """Take in what the client tells, for as long as it does."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            began, kind, result = line.decode().split()
            self._seen.append(Request(float(began), kind, result))

    def answered(self, kind: str) -> bool:
        """Tell whether a request of this kind was ever answered."""
        return any(entry.result == "ok" for entry in self._seen if entry.kind == kind)

    def lost(self, kind: str, since: float) -> list[Request]:
        """Return the requests since then that were not answered."""
        return [entry for entry in self._since(kind, since) if entry.result != "ok"]

    def gap(self, kind: str, since: float) -> float:
        """Return the longest time without a request that was answered, in seconds."""
        answered = sorted(entry.began for entry in self._since(kind, since) if entry.result == "ok")
        times = [since, *answered, time.monotonic() - SETTLE]
        return max(0.0, *(later - earlier for earlier, later in itertools.pairwise(times)))

    def note(self, since: float) -> str:
        """Say in a few words what the client noticed."""
        gaps = [f"{kind} {self.gap(kind, since):.1f} s" for kind in ("address", "name") if self.lost(kind, since)]
        broken = ["the flow broke"] if self.lost("flow", since) else []
        return ", ".join(gaps + broken) or "nobody noticed"

    async def caught_up(self) -> None:
        """Wait until every request that began before now has had its time, and was read."""
        await asyncio.sleep(SETTLE)

    def _since(self, kind: str, since: float) -> list[Request]:
        return [entry for entry in self._seen if entry.kind == kind and entry.began >= since]


@asynccontextmanager
async def traffic(client: Place, address: str, name: str) -> AsyncIterator[Traffic]:
    """Let a pod ask a server by address and by name until the end of the body."""
    process = await places.spawn(client.target, [sys.executable, "-c", LOOP.read_text(), address, name])
    running = Traffic(process)
    reader = asyncio.create_task(running.read())
    try:
        yield running
    finally:
        places.end(process)
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await reader
        places.end(process, 9)
        await process.communicate()
