"""The two API servers of worker tests, hub and worker cluster, with their kinds, a node and a registered cluster.

They are made once and copied for every test: what costs time is to teach a server its kinds.
"""

import asyncio
import contextlib
import shutil
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.errors import AlreadyExists, NotFound
from kubeslice.kube.http import HttpApi
from kubeslice.lab.apiserver.config import ServerConfig
from kubeslice.lab.apiserver.server import running
from kubeslice.model import names, resources
from kubeslice.model.crd import crd
from kubeslice.model.kinds import HUB_KINDS, WORKER_KINDS
from tests.conftest import ApiServer
from tests.given import left_as_found

CLUSTER = "worker-2"
PROJECT = names.project_namespace("acme")
OWN_ON_HUB = names.cluster_namespace("acme", CLUSTER)
SYSTEM = names.WORKER_NAMESPACE
HUB_RESOURCES = (
    resources.CLUSTERS,
    resources.WORKERSLICECONFIGS,
    resources.WORKERSLICEGATEWAYS,
    resources.WORKERSERVICEIMPORTS,
    resources.SERVICEEXPORTCONFIGS,
)
WORKER_RESOURCES = (
    resources.SLICES,
    resources.SLICEGATEWAYS,
    resources.SERVICEEXPORTS,
    resources.SERVICEIMPORTS,
)


async def eventually(ask: Callable[[], Awaitable[Any]], *, within: float = 15.0) -> Any:
    """Return the first true answer. Fails with the last answer after `within` seconds."""
    end = time.monotonic() + within
    while True:
        answer = await ask()
        if answer:
            return answer
        assert time.monotonic() < end, f"still {answer!r} after {within} s"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def api_server(directory: Path) -> AsyncIterator[HttpApi]:
    """Run an API server with what its directory holds, and yield its administrator."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = ServerConfig(directory, port=listener.getsockname()[1], sockets=(listener,))
        async with running(config), HttpApi(from_kubeconfig(directory / "admin.kubeconfig")) as api:
            yield api


async def make(directory: Path) -> None:
    """Make what `copied` copies."""
    for name in ("hub", "own"):
        (directory / name).mkdir()
    async with api_server(directory / "hub") as hub, api_server(directory / "own") as own:
        await _furnish(hub, own)


@asynccontextmanager
async def copied(template: Path, directory: Path) -> AsyncIterator[tuple[HttpApi, HttpApi]]:
    """Run copies of the hub's API server and the worker cluster's."""
    for name in ("hub", "own"):
        shutil.copytree(template / name, directory / name)
    async with api_server(directory / "hub") as hub, api_server(directory / "own") as own:
        yield hub, own


@asynccontextmanager
async def furnished(given: list[ApiServer]) -> AsyncIterator[tuple[HttpApi, HttpApi]]:
    """Make hub and worker cluster on two API servers that are there, and leave those as they were."""
    if len(given) < 2:
        pytest.skip("needs a second API server, for the worker cluster, in KUBESLICE_TEST_KUBECONFIG_2")
    first, second = (from_kubeconfig(server.kubeconfig) for server in given)
    async with HttpApi(first) as hub, HttpApi(second) as own, left_as_found(hub), left_as_found(own):
        await _furnish(hub, own)
        yield hub, own


async def _namespace(api: HttpApi, *wanted: str) -> None:
    for name in wanted:
        with contextlib.suppress(AlreadyExists):
            await api.create(resources.NAMESPACES, {"metadata": {"name": name}})


async def _is_served(api: HttpApi, resource: resources.Resource) -> bool:
    try:
        await api.list(resource)
    except NotFound:
        return False
    return True


async def _furnish(hub: HttpApi, own: HttpApi) -> None:
    for kind in HUB_KINDS:
        await hub.apply(resources.CRDS, crd(kind), manager="test")
    for kind in WORKER_KINDS:
        await own.apply(resources.CRDS, crd(kind), manager="test")
    for api, kinds in ((hub, HUB_RESOURCES), (own, WORKER_RESOURCES)):
        for resource in kinds:
            await eventually(partial(_is_served, api, resource), within=20)
    await _namespace(hub, PROJECT, OWN_ON_HUB)
    await _namespace(own, SYSTEM)
    await hub.create(resources.CLUSTERS, {"metadata": {"name": CLUSTER, "namespace": PROJECT}, "spec": {}})
    node = {"metadata": {"name": "node-1", "annotations": {names.UNDERLAY_MTU_ANNOTATION: "1500"}}, "spec": {}}
    await own.create(resources.NODES, node)
    status = {
        "conditions": [{"type": "Ready", "status": "True"}],
        "addresses": [{"type": "InternalIP", "address": "172.31.2.11"}],
    }
    await own.patch(resources.NODES, "node-1", None, {"status": status}, subresource="status")
    await own.create(
        resources.DEPLOYMENTS,
        {
            "metadata": {"name": names.DNS_SERVICE, "namespace": SYSTEM},
            "spec": {
                "selector": {"matchLabels": {"app": "dns"}},
                "template": {
                    "metadata": {"labels": {"app": "dns"}},
                    "spec": {"containers": [{"name": "dns", "image": "kubeslice/kubeslice:1"}]},
                },
            },
        },
    )
    scale = {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1}
    await own.patch(resources.DEPLOYMENTS, names.DNS_SERVICE, SYSTEM, {"status": scale}, subresource="status")
