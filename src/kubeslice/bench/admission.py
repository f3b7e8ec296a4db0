"""`admission`: how long the hub's webhook takes to judge a SliceConfig beside many others, over HTTPS.

The API server is a process of its own. Webhook and caller share this one, so a figure holds both ends of the call;
meanwhile every cluster's heartbeat goes through the webhook's caches, as it does in life.
"""

import asyncio
import contextlib
import itertools
import ssl
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from kubeslice.bench.metric import Bound, Budget, Metric
from kubeslice.bench.report import Report, median, percentile
from kubeslice.bench.scale import processes
from kubeslice.install.applying import apply_all
from kubeslice.kube.api import Object
from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.http import HttpApi
from kubeslice.manifests import HubValues, Image, hub
from kubeslice.model import names
from kubeslice.model.resources import CLUSTERS, NAMESPACES, PROJECTS, SLICECONFIGS
from kubeslice.plan.tenants import tenancy
from kubeslice.runtime.metrics import CollectorRegistry
from kubeslice.stage.probes import NotMeasured
from kubeslice.webhook.certificates import renewed
from kubeslice.webhook.configurations import VALIDATE
from kubeslice.webhook.hubcheck import HubCheck
from kubeslice.webhook.publication import load_identity
from kubeslice.webhook.server import Reviews, TlsServer

WITHIN = Budget(Bound.AT_MOST, 10.0)
PROJECT = "bench"
HOME = names.project_namespace(PROJECT)
MANAGER = "kubeslice-bench"
HEARTBEAT_SECONDS = 5.0
QUICK_REVIEWS = 200
PATIENCE = 60.0


@dataclass(frozen=True)
class Size:
    """How many slices there are, each with all clusters."""

    slices: int
    clusters: int

    def __str__(self) -> str:
        return f"{self.slices} slices x {self.clusters} clusters"


SIZES = (Size(10, 10), Size(30, 30), Size(100, 100))


async def measure(count: int, sizes: tuple[Size, ...] = SIZES) -> Report:
    """Ask for `count` verdicts beside each number of slices and clusters."""
    metrics, samples = {}, {}
    for size in sizes:
        taken = [1000 * seconds for seconds in await _measure(size, count)]
        metrics[f"{size}: median"] = Metric(median(taken), "ms")
        metrics[f"{size}: p99"] = Metric(percentile(taken, 99), "ms", budget=WITHIN)
        samples[f"{size} (ms)"] = taken
    return Report("admission", metrics, samples)


async def _measure(size: Size, count: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            processes.api_server(Path(folder)) as (kubeconfig, _),
            HttpApi(from_kubeconfig(kubeconfig)) as admin,
        ):
            await furnish(admin, size)
            async with _webhook(admin) as address, _heartbeats(admin, size):
                return await _ask(address, size, count)


async def furnish(admin: HttpApi, size: Size) -> None:
    """Make a project with its clusters and slices on an empty API server."""
    await apply_all(admin, hub(HubValues("https://hub", Image("kubeslice"))))
    home = {"metadata": {"name": HOME, "labels": tenancy.project_labels(PROJECT)}}
    await admin.apply(NAMESPACES, home, manager=MANAGER)
    project = {"metadata": {"name": PROJECT, "namespace": names.HUB_NAMESPACE}, "spec": {}}
    await admin.apply(PROJECTS, project, manager=MANAGER)
    for number in range(size.clusters):
        cluster = {"metadata": {"name": f"c{number}", "namespace": HOME}, "spec": {}}
        await admin.apply(CLUSTERS, cluster, manager=MANAGER)
    for number in range(size.slices):
        await admin.create(SLICECONFIGS, slice_config(size, number))


def slice_config(size: Size, number: int) -> Object:
    """Return the SliceConfig of this number: all clusters, a few namespaces of its own, and one that is shared out."""
    own = [{"namespace": f"team-{number}-{part}", "clusters": ["*"]} for part in range(4)]
    share = {"namespace": "common", "clusters": [f"c{number % size.clusters}"]}
    return {
        "apiVersion": SLICECONFIGS.api_version,
        "kind": SLICECONFIGS.kind,
        "metadata": {"name": f"s{number}", "namespace": HOME},
        "spec": {
            "sliceSubnet": "10.0.0.0/8",
            "sliceIpamType": "Dynamic",
            "maxClusters": max(2, size.clusters),
            "clusters": [f"c{member}" for member in range(size.clusters)],
            "namespaceIsolationProfile": {"applicationNamespaces": [*own, share]},
        },
    }


@asynccontextmanager
async def _webhook(admin: HttpApi) -> AsyncIterator[str]:
    check, tls = HubCheck(admin), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_identity(tls, renewed(None, "localhost", datetime.now(UTC)))
    application = Reviews(CollectorRegistry()).application(check.mutate, check.validate)
    port = processes.free_port()
    server = TlsServer(application, port, tls, host="127.0.0.1")
    async with _running(check.run(), server.run_until_cancelled()), asyncio.timeout(PATIENCE) as patience:
        while not (server.started and check.is_synced):  # noqa: ASYNC110 - neither can be waited for
            await asyncio.sleep(0.01)
        patience.reschedule(None)
        yield f"https://127.0.0.1:{port}{VALIDATE}"


@asynccontextmanager
async def _heartbeats(admin: HttpApi, size: Size) -> AsyncIterator[None]:
    async with _running(_beat_for_ever(admin, size)):
        yield


async def _beat_for_ever(admin: HttpApi, size: Size) -> None:
    for number in itertools.cycle(range(size.clusters)):
        status = {"registrationStatus": "Registered", "heartbeatTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        await admin.patch(CLUSTERS, f"c{number}", HOME, {"status": status}, subresource="status")
        await asyncio.sleep(HEARTBEAT_SECONDS / size.clusters)


@asynccontextmanager
async def _running(*works: Any) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)


async def _ask(address: str, size: Size, count: int) -> list[float]:
    """Ask one after the other, as an API server does for one user, and return how long each answer took."""
    taken = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session:
        for review in itertools.islice(reviews(size), count):
            started = time.perf_counter()
            async with session.post(address, json=review) as response:
                answer = await response.json()
            taken.append(time.perf_counter() - started)
            if not answer["response"]["allowed"] or "could not check" in str(answer):
                raise NotMeasured(f"the webhook said {answer['response']}")
    return taken


def reviews(size: Size) -> Iterator[Object]:
    """Return reviews of one change of each slice in turn, without end."""
    for number in itertools.cycle(range(size.slices)):
        old = slice_config(size, number)
        changed = {**old, "spec": {**old["spec"], "rotationInterval": 31}}
        request: Object = {
            "uid": str(uuid.uuid4()),
            "resource": {"group": SLICECONFIGS.group, "version": SLICECONFIGS.version, "resource": SLICECONFIGS.plural},
            "operation": "UPDATE",
            "namespace": HOME,
            "name": f"s{number}",
            "object": changed,
            "oldObject": old,
        }
        yield {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
