"""`rotation`: keys are renewed every minute while traffic runs both ways; nothing may get lost."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from kubeslice.bench.metric import Bound, Budget, Metric
from kubeslice.bench.report import Report
from kubeslice.bench.scene import Scene, scene
from kubeslice.kube import objects
from kubeslice.kube.errors import ApiError
from kubeslice.model.resources import VPNKEYROTATIONS
from kubeslice.stage import slices
from kubeslice.stage.observer import observer

PERIOD = 60
QUICK_MINUTES = 2.5
ENGINES = {"wireguard": "Wireguard", "openvpn": "OpenVPN"}
NONE = Budget(Bound.AT_MOST, 0)
LOOK_EVERY = 1.0
TOLD_EVERY = 15
CONSOLE = Console(stderr=True, highlight=False)


@dataclass(frozen=True)
class Options:
    """For how long, and on which engines."""

    minutes: float = 10.0
    engines: Sequence[str] = tuple(ENGINES)


async def measure(options: Options) -> Report:
    """Let each engine carry traffic while its keys are renewed, one engine after the other."""
    metrics: dict[str, Metric] = {}
    for engine in options.engines:
        async with scene(wanted(engine)) as running:
            async with observer(running.stage, running.traffic.marker) as observed:
                metrics |= await _rotating(running, engine, options.minutes)
            for finding in observed.findings:
                CONSOLE.print(f"  {engine}, on the WAN: {finding}", soft_wrap=True, markup=False)
            metrics[f"{engine}: packets on the WAN"] = Metric(observed.packets, "")
            metrics[f"{engine}: of them no tunnel's, or readable"] = Metric(observed.wrong, "", budget=NONE)
    return Report("rotation", metrics)


def wanted(engine: str) -> dict[str, Any]:
    """Return what the SliceConfig's spec says of an engine whose keys live for a minute."""
    provider = {"sliceGatewayType": ENGINES[engine], "sliceCaType": "Local"}
    return {"sliceGatewayProvider": provider, "rotationPeriod": f"{PERIOD}s"}


async def _rotating(running: Scene, engine: str, minutes: float) -> Mapping[str, Metric]:
    started, before = time.monotonic(), await rotations(running)
    number, count = 0, before
    while time.monotonic() - started < minutes * 60:
        await asyncio.sleep(LOOK_EVERY)
        count, number = await rotations(running), number + 1
        if number % TOLD_EVERY == 0:
            seen = running.traffic.seen(started)
            told = f"{count - before} rotations, gap {seen.gap:.2f} s, {seen.lost} packets lost"
            CONSOLE.print(f"  {engine}, {time.monotonic() - started:.0f} s: {told}", soft_wrap=True)
    seen = await running.traffic.since(started)
    # The first minute may have begun before, and the last one ends later.
    least = Budget(Bound.AT_LEAST, max(1, int(minutes * 60 / PERIOD) - 2))
    return {
        f"{engine}: rotations": Metric(count - before, "", budget=least),
        f"{engine}: flows lost": Metric(len(seen.died), "", budget=NONE),
        f"{engine}: packets lost": Metric(seen.lost, "", budget=NONE if engine == "wireguard" else None),
        f"{engine}: packets": Metric(seen.packets, ""),
        f"{engine}: longest gap": Metric(seen.gap, "s"),
    }


async def rotations(running: Scene) -> int:
    """Return how many rotations the hub has counted for the slice."""
    try:
        found = await running.stage.hub.get(VPNKEYROTATIONS, running.tenant.slice_name, slices.NAMESPACE)
    except ApiError:
        return 0
    return int(objects.spec(found).get("rotationCount") or 0)
