"""`attach`: what the overlay adds to the start of a pod, measured against the same pod without a slice."""

import asyncio
import time

from kubeslice.bench.metric import Bound, Budget, Metric
from kubeslice.bench.report import Report, median, percentile
from kubeslice.kube import objects, waiting
from kubeslice.kube.api import Object
from kubeslice.kube.http import HttpApi
from kubeslice.model.resources import NAMESPACES, PODS
from kubeslice.stage import application, slices
from kubeslice.stage.scenario import Tenant
from kubeslice.stage.stage import installed

BUDGET = Budget(Bound.AT_MOST, 150.0)
PODS_EACH = 20
PLAIN = "plain"


async def measure() -> Report:
    """Start pods by turns in a plain and in an onboarded namespace, until each reports that its container runs."""
    async with installed(workers=2) as stage:
        red = Tenant("red", "shop", tuple(stage.workers), stage.workers[1])
        await application.create_namespaces(stage.apis, red)
        await slices.apply(stage, red)
        await slices.ready(stage, red)
        api = stage.apis[red.clusters[0]]
        await api.apply(NAMESPACES, {"metadata": {"name": PLAIN}}, manager="bench")
        with_slice: list[float] = []
        without: list[float] = []
        for number in range(-2, PODS_EACH):
            pairs = ((PLAIN, without), (red.namespace, with_slice))
            for namespace, samples in pairs:
                took = await _start(api, namespace, f"probe-{number + 2}")
                if number >= 0:
                    samples.append(took)
    added = median(with_slice) - median(without)
    return Report(
        "attach",
        {
            "added by the overlay": Metric(added, "ms", budget=BUDGET),
            "pod start, p50": Metric(median(with_slice), "ms", median(without)),
            "pod start, p95": Metric(percentile(with_slice, 95), "ms", percentile(without, 95)),
        },
        {"with a slice (ms)": with_slice, "without (ms)": without},
    )


async def _start(api: HttpApi, namespace: str, name: str) -> float:
    container = {"name": "app", "image": "busybox", "command": ["sleep", "infinity"]}
    pod: Object = {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
    }
    waiter = asyncio.create_task(waiting.until(api, PODS, name, namespace, _runs, timeout=30, what="running"))
    await asyncio.sleep(0.05)
    started = time.monotonic()
    await api.create(PODS, pod)
    await waiter
    took = (time.monotonic() - started) * 1000
    await api.delete(PODS, name, namespace, grace_seconds=0)
    await waiting.until(api, PODS, name, namespace, lambda obj: obj is None, timeout=30, what="deletion")
    return took


def _runs(pod: Object | None) -> bool:
    if pod is None:
        return False
    statuses = objects.status(pod).get("containerStatuses") or []
    return bool(statuses) and all("running" in (entry.get("state") or {}) for entry in statuses)
