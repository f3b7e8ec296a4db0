"""Measuring a path: iperf3 and ping, run wherever a `Run` puts them, read from their own machine-readable output."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from kubeslice.stage.places import Output

SECONDS = 3
WARM_UP = 1
PORT = 5201
SMALL_PACKET = 64

Run = Callable[[Sequence[str]], Awaitable[Output]]
_ROUND_TRIP = re.compile(rb"time=([\d.]+) ms")


class NotMeasured(Exception):
    """A figure could not be taken; the message says what was missing or failed."""


@dataclass(frozen=True)
class Path:
    """Two ends that can run programs, and the address at which the second is reached over what is measured."""

    client: Run
    server: Run
    address: str


async def tcp(path: Path, streams: int = 1, seconds: int = SECONDS) -> float:
    """Return TCP goodput in bit/s, as the receiver counts it, after a second of warm-up."""
    wanted = ["-c", path.address, "-t", str(seconds), "-O", str(WARM_UP), "-P", str(streams)]
    result = await _iperf(path, wanted)
    return float(result["end"]["sum_received"]["bits_per_second"])


async def small_packets(path: Path, seconds: int = SECONDS) -> float:
    """Return how many UDP datagrams of 64 bytes arrive per second when as many as possible are sent."""
    wanted = ["-c", path.address, "-t", str(seconds), "-u", "-b", "0", "-l", str(SMALL_PACKET)]
    result = await _iperf(path, wanted)
    total = result["end"]["sum"]
    return float(total["packets"] - total["lost_packets"]) / float(total["seconds"])


async def round_trips(path: Path, count: int = 50) -> list[float]:
    """Return round-trip times in milliseconds."""
    output = await path.client(["ping", "-n", "-i", "0.02", "-c", str(count), "-W", "2", path.address])
    times = [float(found) for found in _ROUND_TRIP.findall(output.stdout)]
    if not times:
        raise NotMeasured(f"no echo from {path.address}: {output.stderr.decode(errors='replace').strip()}")
    return times


async def _iperf(path: Path, wanted: Sequence[str]) -> dict[str, dict[str, dict[str, float]]]:
    async with _server(path):
        for _ in range(40):
            output = await path.client(["iperf3", "-J", "-p", str(PORT), *wanted])
            result = json.loads(output.stdout or b"{}")
            if "refused" not in str(result.get("error", "")):
                break
            await asyncio.sleep(0.05)
    if output.status or "error" in result:
        raise NotMeasured(f"iperf3 to {path.address}: {result.get('error') or output.stderr.decode(errors='replace')}")
    return dict(result)


@asynccontextmanager
async def _server(path: Path) -> AsyncIterator[None]:
    # `-1`: the server ends by itself after one test, also when nobody ends it.
    task = asyncio.create_task(_serve(path))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _serve(path: Path) -> None:
    await path.server(["timeout", "60", "iperf3", "-s", "-1", "-p", str(PORT)])
