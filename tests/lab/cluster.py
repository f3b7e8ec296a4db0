"""The worker cluster of the test lab, as the tests handle it: make pods, wait for what they become, look inside."""

import asyncio
import contextlib
import itertools
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.errors import NotFound
from kubeslice.kube.http import HttpApi
from kubeslice.lab.topology import KUBELET_PORT
from kubeslice.model.resources import PODS, Resource

Object = dict[str, Any]
CLUSTER = "worker-1"
FIRST, SECOND = "worker-1-node-1", "worker-1-node-2"
SECONDS = 10.0
numbers = itertools.count(1)


async def eventually(holds: Callable[[], Any], seconds: float = SECONDS) -> None:
    """Wait until something outside this process is so."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.05)


class Cluster:
    """An administrator's view of worker-1."""

    def __init__(self, api: HttpApi, lab: str) -> None:
        self.api = api
        self.lab = lab
        self._made: list[tuple[Resource, str]] = []

    async def create(self, resource: Resource, body: Object) -> Object:
        metadata = {"name": f"t{next(numbers)}", "namespace": "default"} | body.get("metadata", {})
        made = await self.api.create(resource, body | {"metadata": metadata})
        self._made.append((resource, objects.name(made)))
        return made

    async def pod(self, command: str, node: str = FIRST, **spec: Any) -> str:
        """Create a pod with one container that runs a shell command, and return its name."""
        container = {"name": "main", "image": "busybox", "command": ["sh", "-c", command]} | spec.pop("container", {})
        body = {"nodeName": node, "terminationGracePeriodSeconds": 1, "containers": [container]} | spec
        return objects.name(await self.create(PODS, {"spec": body}))

    async def until(self, name: str, holds: Callable[[Object], bool]) -> Object:
        """Wait until a pod is so, and return it."""
        pod: Object = {}
        try:
            async with asyncio.timeout(SECONDS):
                while True:
                    listing = await self.api.list(PODS, "default", fields=f"metadata.name={name}")
                    pod = listing.items[0]
                    if holds(pod):
                        return pod
                    async for event in self.api.watch(
                        PODS, "default", fields=f"metadata.name={name}", since=listing.resource_version
                    ):
                        pod = event.object
                        if event.type == "MODIFIED" and holds(pod):
                            return pod
        except TimeoutError:
            raise AssertionError(f"{name} is still {pod.get('status')}") from None

    async def phase(self, name: str, phase: str) -> Object:
        return await self.until(name, lambda pod: objects.status(pod).get("phase") == phase)

    async def ready(self, name: str) -> Object:
        return await self.until(name, lambda pod: objects.is_true(pod, "Ready"))

    async def gone(self, name: str, **options: Any) -> None:
        await self.api.delete(PODS, name, "default", **options)
        async with asyncio.timeout(SECONDS):
            while True:
                try:
                    await self.api.get(PODS, name, "default")
                except NotFound:
                    return
                await asyncio.sleep(0.02)

    async def log(self, name: str, options: str = "") -> str:
        """Return a container's log, asked from the kubelet as the API server does."""
        pod = await self.api.get(PODS, name, "default")
        token = self.run("wan", "cat", f"/run/lab/clusters/{CLUSTER}/kubelet.token")
        url = f"http://{pod['status']['hostIP']}:{KUBELET_PORT}/containerLogs/default/{name}/main{options}"
        return await asyncio.to_thread(self.run, "wan", "curl", "-s", "-H", f"Authorization: Bearer {token}", url)

    def run(self, target: str, *command: str) -> str:
        """Run a command on the WAN, on a node or in a pod (its name), through `kubeslice.lab.commands`."""
        place = target if target == "wan" or target.startswith(CLUSTER) else f"{CLUSTER}/default/{target}"
        code = "import sys; from kubeslice.lab import commands; "
        code += "sys.exit(commands.execute(sys.argv[2], sys.argv[3:], sys.argv[1]))"
        done = subprocess.run(
            [sys.executable, "-c", code, self.lab, place, *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout.strip()

    async def clean(self) -> None:
        for resource, name in reversed(self._made):
            with contextlib.suppress(NotFound):
                await self.api.delete(resource, name, "default", grace_seconds=0)
