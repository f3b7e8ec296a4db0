"""`slice-ready`: from applying a SliceConfig to the first answered request across clusters, for 2, 3 and 10 workers."""

import asyncio
import time

from kubeslice.bench.metric import Bound, Budget, Metric
from kubeslice.bench.report import Report, median
from kubeslice.stage import application, slices
from kubeslice.stage.scenario import Tenant
from kubeslice.stage.stage import Stage, installed

SIZES = {2: Budget(Bound.AT_MOST, 3.0), 3: None, 10: Budget(Bound.AT_MOST, 10.0)}
ROUNDS = {2: 3, 3: 3, 10: 2}  # a round of ten workers takes as long as all the others


async def measure() -> Report:
    """Bring up the largest lab once; apply, ask, delete, with growing slices, several times each."""
    samples: dict[str, list[float]] = {}
    async with installed(workers=max(SIZES)) as stage:
        for size in SIZES:
            members = tuple(stage.workers[:size])
            tenant = Tenant("red", "shop", members, members[-1])
            await application.deploy(stage.apis, tenant)
            for _ in range(ROUNDS[size]):
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
    await slices.apply(stage, tenant)
    await slices.export(stage, tenant)
    first_client, *others = (cluster for cluster in tenant.clusters if cluster != tenant.server)
    await _answered(stage, tenant, first_client)
    first = time.monotonic() - started
    # Asking again and again from everywhere would take the processors from what is measured.
    await slices.ready(stage, tenant)
    await asyncio.gather(*(_answered(stage, tenant, cluster) for cluster in others))
    full = time.monotonic() - started
    await slices.delete(stage, tenant)
    return first, full


async def _answered(stage: Stage, tenant: Tenant, cluster: str) -> None:
    client = await application.place(stage.apis[cluster], tenant, cluster, "client")
    await application.answered(client, f"http://{tenant.host}/")
