"""Waiting while nothing is broken, and taking down every alarm: states that change, warnings, sessions that break."""

import asyncio
import time
from collections.abc import Callable

from kubeslice.bench.matrix import Quiet
from kubeslice.bench.scene import Scene
from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.http import HttpApi
from kubeslice.model.names import WORKER_NAMESPACE
from kubeslice.model.resources import EVENTS, SLICEGATEWAYS
from kubeslice.stage.probes import NotMeasured

TOLD_EVERY = 30.0


async def keep_quiet(scene: Scene, minutes: float, progress: Callable[[str], None]) -> Quiet:
    """Let traffic run for some minutes, and return what was alarmed meanwhile."""
    before = await _marks(scene)
    started = time.monotonic()
    while (elapsed := time.monotonic() - started) < minutes * 60:
        await asyncio.sleep(min(TOLD_EVERY, minutes * 60 - elapsed))
        progress(f"quiet for {time.monotonic() - started:.0f} s")
    alarms = sorted(mark for mark in await _marks(scene) if mark not in before)
    seen = await scene.traffic.since(started)
    if not seen.packets:
        raise NotMeasured("no traffic was seen")
    return Quiet(minutes * 60, alarms, seen)


async def _marks(scene: Scene) -> set[str]:
    """Return sentences that change when a tunnel changes its state or somebody warns."""
    found: set[str] = set()
    for cluster, api in scene.stage.apis.items():
        if cluster in scene.tenant.clusters:
            found |= {f"{cluster}: {mark}" for mark in await _tunnels(api)}
        found |= {f"{cluster}: {mark}" for mark in await _warnings(api)}
    return found


async def _tunnels(api: HttpApi) -> list[str]:
    gateways = await api.list(SLICEGATEWAYS, WORKER_NAMESPACE)
    return [
        f"{objects.name(gateway)} plane {plane['plane']} is {plane.get('state')} since {plane.get('since')}"
        for gateway in gateways.items
        for plane in objects.status(gateway).get("planes") or []
    ]


async def _warnings(api: HttpApi) -> list[str]:
    events = (await api.list(EVENTS)).items
    return [_sentence(event) for event in events if event.get("type") == "Warning"]


def _sentence(event: Object) -> str:
    about = event.get("involvedObject") or {}
    count = event.get("count") or 1
    return f"{about.get('kind')} {about.get('name')}: {event.get('reason')}, {count} times: {event.get('message')}"
