"""`eviction`: from the word that a cluster is out until no gateway takes a packet of it, although it does not help.

The operator of the evicted cluster is stopped before, so its gateways go on sending with the keys they have.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from rich.console import Console

from kubeslice.bench.metric import Bound, Budget, Metric
from kubeslice.bench.report import Report, percentile
from kubeslice.bench.scene import Scene, ends, scene
from kubeslice.model.resources import CLUSTERS
from kubeslice.stage import processes, slices
from kubeslice.stage.probes import NotMeasured
from kubeslice.stage.traffic import PORT, Load, Traffic, traffic

TRIALS = 5
QUICK_TRIALS = 2
BUDGET = Budget(Bound.AT_MOST, 5.0)
# Longer than the budget, so that a packet that comes too late is seen.
WATCHED = 8.0
BACK = 180.0
LOAD = Load(small=4, bulk=1)


async def measure(trials: int = TRIALS) -> Report:
    """Evict a cluster that talks to both others, take it in again, several times."""
    console = Console(stderr=True, highlight=False)
    samples: list[float] = []
    lost = 0
    async with scene(workers=3) as running, _talking(running) as talking:
        for number in range(trials):
            took, others = await _evicted(running, talking)
            samples.append(took)
            lost += others
            console.print(f"  {number + 1}/{trials}: last packet taken after {took:.2f} s", soft_wrap=True)
    metrics = {
        "last packet accepted, p99": Metric(percentile(samples, 99), "s", budget=BUDGET),
        "last packet accepted, p50": Metric(percentile(samples, 50), "s"),
        "packets lost by the others": Metric(lost, "", budget=Budget(Bound.AT_MOST, 0)),
    }
    return Report("eviction", metrics, {"last packet accepted (s)": samples})


@asynccontextmanager
async def _talking(running: Scene) -> AsyncIterator[list[Traffic]]:
    """Let the last cluster talk to all others."""
    first, second, last = await ends(running.stage, running.tenant, running.tenant.clusters)
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(traffic(peer, last, LOAD, PORT + 10 * number))
            for number, peer in enumerate((first, second), start=1)
        ]


async def _evicted(running: Scene, talking: list[Traffic]) -> tuple[float, int]:
    """Return the seconds until the last packet was taken, and the packets that the others lost among themselves."""
    evicted = running.tenant.clusters[-1]
    for one in talking:
        await one.quiet(patience=60)
    pid = await _operator(running, evicted)
    os.kill(pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        await _say(running, evicted, is_out=True)
        await asyncio.sleep(WATCHED)
        last = max(one.last_arrival(one.ends[0]) for one in talking)
        lost = (await running.traffic.since(started)).lost
    finally:
        await _say(running, evicted, is_out=False)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    # Its credential is gone for good: it comes back as it came the first time, with a new one.
    await running.stage.join(evicted)
    await running.recovered(BACK)
    return max(0.0, last - started), lost


async def _operator(running: Scene, cluster: str) -> int:
    found = await processes.of_pods(running.stage)
    for one in found:
        if one.kind == "worker" and one.cluster == cluster:
            return one.pid
    raise NotMeasured(f"no operator runs in {cluster}")


async def _say(running: Scene, cluster: str, *, is_out: bool) -> None:
    await running.stage.hub.patch(CLUSTERS, cluster, slices.NAMESPACE, {"spec": {"evicted": is_out}})
