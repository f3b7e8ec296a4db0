"""A real API server with the controllers running on it, and somebody who acts as the kubelet of every node."""

import asyncio
import contextlib
import itertools
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.errors import ApiError, NotFound
from kubeslice.kube.http import HttpApi
from kubeslice.kube.informer import Informer
from kubeslice.lab.apiserver.config import ServerConfig
from kubeslice.lab.apiserver.server import running
from kubeslice.lab.controllers import main
from kubeslice.model.resources import NODES, PODS

PATIENCE = 5.0


class Cluster:
    """What a test has in hand."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.kubelet = Kubelet(api)

    async def add_node(self, name: str, **labels: Any) -> None:
        await self.api.create(NODES, {"metadata": {"name": name, "labels": labels}})
        number = name.rpartition("-")[2]
        status = {
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": ""}],
            "addresses": [{"type": "InternalIP", "address": f"172.31.0.1{number}"}],
        }
        await self.api.patch(NODES, name, None, {"status": status}, subresource="status")

    async def pods(self, namespace: str = "default", **labels: Any) -> Any:
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        return (await self.api.list(PODS, namespace, labels=selector)).items

    async def eventually(self, check: Any, patience: Any = PATIENCE) -> Any:
        """Await `check()` until it returns something true, and return that."""
        deadline = time.monotonic() + patience
        while True:
            with contextlib.suppress(NotFound):
                found = await check()
                if found:
                    return found
            assert time.monotonic() < deadline, "did not come to pass in time"
            await asyncio.sleep(0.01)

    async def is_gone(self, resource: Any, name: str, namespace: str | None = None) -> Any:
        async def gone() -> Any:
            try:
                await self.api.get(resource, name, namespace)
            except NotFound:
                return True
            return False

        return await self.eventually(gone)


class Kubelet:
    """Runs bound pods at once, unless told otherwise, and confirms deletions."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self._pods = Informer(api, PODS)
        self._work: asyncio.Queue[Any] = asyncio.Queue()
        self._addresses = itertools.count(2)
        self.unready: set[str] = set()
        self._pods.subscribe(lambda _, new: self._work.put_nowait(new) if new else None)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pods.run())
            while True:
                pod = await self._work.get()
                with contextlib.suppress(ApiError):
                    await self._settle(pod)

    async def _settle(self, pod: Any) -> None:
        name, namespace = objects.name(pod), objects.namespace(pod)
        if not objects.spec(pod).get("nodeName"):
            return
        if objects.is_deleting(pod):
            await self._api.delete(PODS, name, namespace, uid=objects.uid(pod), grace_seconds=0)
        elif objects.status(pod).get("phase", "Pending") == "Pending":
            await self.report(pod, is_ready=not any(name.startswith(prefix) for prefix in self.unready))

    async def report(self, pod: Any, *, is_ready: Any, phase: Any = "Running") -> None:
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        condition = {"type": "Ready", "status": "True" if is_ready else "False", "lastTransitionTime": since}
        scheduled = {"type": "PodScheduled", "status": "True"}
        address = objects.status(pod).get("podIP") or f"10.244.1.{next(self._addresses)}"
        status = {"phase": phase, "conditions": [scheduled, condition], "podIP": address, "podIPs": [{"ip": address}]}
        await self._api.patch(PODS, objects.name(pod), objects.namespace(pod), {"status": status}, subresource="status")


@contextlib.asynccontextmanager
async def started(folder: Path) -> AsyncIterator[Cluster]:
    """A cluster with its controllers, for the length of the context."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with running(ServerConfig(folder, port=port)):
        connection = from_kubeconfig(folder / "admin.kubeconfig")
        async with HttpApi(connection) as api, HttpApi(connection) as controllers:
            cluster = Cluster(api)
            tasks = [
                asyncio.create_task(main.run(controllers, "PEM")),
                asyncio.create_task(cluster.kubelet.run()),
            ]
            try:
                yield cluster
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
