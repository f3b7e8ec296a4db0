"""`lab-up`: how long three clusters take to come up, and what twenty cost."""

import time
from pathlib import Path

from kubeslice.bench.metric import Bound, Budget, Metric
from kubeslice.bench.report import Report, median
from kubeslice.stage.probes import NotMeasured
from kubeslice.stage.stage import clusters

THREE = Budget(Bound.AT_MOST, 5.0)
MEMORY = Budget(Bound.AT_MOST, 24.0)
ROUNDS = 3
MANY = 20


async def measure() -> Report:
    """Bring a lab of three clusters up and down several times, then one of twenty."""
    small: list[float] = []
    for _ in range(ROUNDS):
        async with clusters(workers=2) as stage:
            small.append(stage.seconds_to_up)
    before = _memory_available()
    started = time.monotonic()
    async with clusters(workers=MANY - 1, nodes=1):
        took = time.monotonic() - started
        used = (before - _memory_available()) / 2**30
    return Report(
        "lab-up",
        {
            "three clusters": Metric(median(small), "s", budget=THREE),
            "twenty clusters": Metric(took, "s"),
            "memory of twenty clusters": Metric(used, "GiB", budget=MEMORY),
        },
        {"three clusters (s)": small, "twenty clusters (s)": [took]},
    )


def _memory_available() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise NotMeasured("/proc/meminfo does not say how much memory is available")
