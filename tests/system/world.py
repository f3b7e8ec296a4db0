"""The world of the system rung: a lab with KubeSlice, red over all workers and blue over two, applications running.

All tests share it. Whoever breaks something leaves the world as it was, which `World.settled` says: every slice is
Ready with all tunnels up, and from every member cluster the exported name is answered by the right tenant.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kubeslice.cli.labtables import merged_kubeconfig
from kubeslice.kube import objects, waiting
from kubeslice.kube.errors import Unavailable
from kubeslice.kube.http import HttpApi
from kubeslice.lab import commands
from kubeslice.model import names
from kubeslice.model.resources import SLICEGATEWAYS, SLICES
from kubeslice.stage import application, places, slices
from kubeslice.stage.application import Place
from kubeslice.stage.places import Output
from kubeslice.stage.scenario import Tenant, tenants
from kubeslice.stage.stage import HUB, Stage

Object = dict[str, Any]
WORKERS = 3
CONVERGENCE = 40.0
QUIET = 0.05


@dataclass(frozen=True)
class Figure:
    """How long something took, for the table at the end of the run; `note` says what else was seen."""

    what: str
    seconds: float
    note: str = ""


@dataclass
class World:
    """The running stage, its tenants, and what was measured on it."""

    stage: Stage
    kubeconfig: Path
    figures: list[Figure] = field(default_factory=list)

    @property
    def red(self) -> Tenant:
        """Return the tenant on all workers."""
        return tenants(self.stage.workers)[0]

    @property
    def blue(self) -> Tenant:
        """Return the tenant on the first two workers, with the same subnet."""
        return tenants(self.stage.workers)[1]

    @property
    def hub(self) -> HttpApi:
        """Return the hub's API."""
        return self.stage.hub

    def api(self, cluster: str) -> HttpApi:
        """Return a cluster's API."""
        return self.stage.apis[cluster]

    async def place(self, tenant: Tenant, cluster: str, app: str = "client") -> Place:
        """Return a tenant's pod in a cluster."""
        return await application.place(self.api(cluster), tenant, cluster, app)

    async def connect(self) -> None:
        """Apply both slices, deploy their applications, export their services; wait until all of it works."""
        both = (self.red, self.blue)
        for tenant in both:
            await slices.apply(self.stage, tenant)
        await asyncio.gather(*(application.deploy(self.stage.apis, tenant) for tenant in both))
        for tenant in both:
            await slices.export(self.stage, tenant)
        await self.settled()

    async def settled(self, seconds: float = CONVERGENCE) -> None:
        """Wait until every slice is Ready and every member cluster is answered by name. Raises `NotReached`."""
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(self._works(tenant) for tenant in (self.red, self.blue)))
        except TimeoutError:
            raise waiting.NotReached(f"the world did not settle in {seconds:g} s") from None

    async def _works(self, tenant: Tenant) -> None:
        # Twice, because the hub may not have heard yet of what was just broken.
        for _ in range(2):
            await eventually(lambda: self._is_whole(tenant), f"{tenant.slice_name} whole in every cluster")
            await slices.ready(self.stage, tenant)
            await asyncio.gather(*(self.answers(tenant, cluster) for cluster in tenant.clusters))

    async def _is_whole(self, tenant: Tenant) -> bool:
        """Tell whether each cluster says of the slice and of every tunnel that it works."""
        return all(await asyncio.gather(*(self._is_whole_in(tenant, cluster) for cluster in tenant.clusters)))

    async def _is_whole_in(self, tenant: Tenant, cluster: str) -> bool:
        selector = f"{names.SLICE_LABEL}={tenant.slice_name}"
        try:
            found = [
                *(await self.api(cluster).list(SLICES, names.WORKER_NAMESPACE, labels=selector)).items,
                *(await self.api(cluster).list(SLICEGATEWAYS, names.WORKER_NAMESPACE, labels=selector)).items,
            ]
        except Unavailable:
            return False
        return len(found) == len(tenant.clusters) and all(objects.is_true(obj, "Ready") for obj in found)

    async def answers(self, tenant: Tenant, cluster: str, seconds: float = CONVERGENCE) -> None:
        """Wait until a tenant's client in a cluster is answered by the tenant's exported name."""
        client = await self.place(tenant, cluster)
        page = await application.answered(client, f"http://{tenant.host}/", timeout=seconds)
        assert page.startswith(f"hello from {tenant.namespace}/"), page

    @asynccontextmanager
    async def converging(self, what: str, seconds: float = CONVERGENCE) -> AsyncIterator[None]:
        """Run the body, then wait until the world is settled; note how long both took."""
        started = time.monotonic()
        yield
        await self.settled(seconds)
        self.figures.append(Figure(what, time.monotonic() - started))

    async def kubectl(self, cluster: str, *words: str, stdin: str = "") -> Output:
        """Run an unmodified kubectl against a cluster."""
        return await program("kubectl", "--kubeconfig", str(self.kubeconfig), "--context", cluster, *words, stdin=stdin)

    async def kubeslice(self, *words: str) -> Output:
        """Run the command line, as an administrator of the hub."""
        return await program(sys.executable, "-m", "kubeslice", *words, KUBECONFIG=str(self.kubeconfig))


def write_kubeconfig(path: Path) -> None:
    """Write a kubeconfig with a context for each cluster of the lab, the hub first."""
    connections = commands.connections(places.lab())
    assert next(iter(connections)) == HUB
    path.write_text(yaml.safe_dump(merged_kubeconfig(connections)))


async def program(*command: str, stdin: str = "", **environment: str) -> Output:
    """Run a program of this machine to its end."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    async with asyncio.timeout(CONVERGENCE):
        stdout, stderr = await process.communicate(stdin.encode())
    return Output(process.returncode or 0, stdout, stderr)


async def eventually(holds: Callable[[], Awaitable[Any]], what: str, seconds: float = CONVERGENCE) -> Any:
    """Ask again and again until the answer is true, and return it. Raises `NotReached`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = await holds()
        if found:
            return found
        await asyncio.sleep(QUIET)
    raise waiting.NotReached(f"{what} was not so within {seconds:g} s")
