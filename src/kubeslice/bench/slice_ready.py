"""`slice-ready`: from applying a SliceConfig to the first answered request across clusters, for 2, 3 and 10 workers."""

import asyncio
import time
from dataclasses import replace

from kubeslice.bench.report import Bound, Budget, Metric, Report, median
from kubeslice.stage.scenario import Tenant
from kubeslice.stage.stage import Stage

SIZES = {2: Budget(Bound.AT_MOST, 3.0), 3: None, 10: Budget(Bound.AT_MOST, 10.0)}
ROUNDS = 3


async def measure() -> Report:
    """Bring up the largest lab once; apply, ask, delete, with growing slices, several times each."""
    samples: dict[str, list[float]] = {}
    async with Stage.up(workers=max(SIZES)) as stage:
        for size in SIZES:
            members = tuple(stage.workers[:size])
            tenant = Tenant("red", "shop", members, members[-1])
            await stage.prepare(tenant)
            for _ in range(ROUNDS):
                first, full = await _ready(stage, tenant)
                samples.setdefault(f"{size} workers, first request (s)", []).append(first)
                samples.setdefault(f"{size} workers, full mesh (s)", []).append(full)
    metrics: dict[str, Metric] = {}
    for size, budget in SIZES.items():
        first = median(samples[f"{size} workers, first request (s)"])
        full = median(samples[f"{size} workers, full mesh (s)"])
        metrics[f"{size} workers, first request"] = Metric(first, "s", budget=budget if size == 2 else None)
        metrics[f"{size} workers, full mesh answered"] = Metric(full, "s", budget=budget if size > 2 else None)
    return Report("slice-ready", metrics, samples)


async def _ready(stage: Stage, tenant: Tenant) -> tuple[float, float]:
    started = time.monotonic()
    await stage.apply_slice(tenant)
    clients = [cluster for cluster in tenant.clusters if cluster != tenant.server]
    await stage.answered(replace(tenant, clusters=(clients[0], tenant.server)))
    first = time.monotonic() - started
    await asyncio.gather(*(stage.answered(replace(tenant, clusters=(cluster, tenant.server))) for cluster in clients))
    await stage.wait_ready(tenant)
    full = time.monotonic() - started
    await stage.delete_slice(tenant)
    return first, full
