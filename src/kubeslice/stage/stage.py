"""`Stage`: a lab, bare or with KubeSlice installed and every cluster registered, as a context that cleans up."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import yaml

from kubeslice import __version__
from kubeslice.install import hub as hub_installation
from kubeslice.install import worker as worker_installation
from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.http import HttpApi
from kubeslice.lab import commands
from kubeslice.lab.topology import API_PORT, MTU, Cluster, Topology, lab_topology
from kubeslice.manifests import HubValues, Image
from kubeslice.model import names
from kubeslice.stage import places

PROJECT = "demo"
HUB = "hub"
IMAGE = Image(f"{names.IMAGE_REPOSITORY}:{__version__}")

Progress = Callable[[str], None]


@dataclass
class Stage:
    """A running lab: an administrator's connection to each cluster, and places to run programs in."""

    topology: Topology
    apis: dict[str, HttpApi]
    seconds_to_up: float

    @property
    def hub(self) -> HttpApi:
        """Return the hub cluster's API."""
        return self.apis[HUB]

    @property
    def workers(self) -> list[str]:
        """Return the names of the worker clusters."""
        return [cluster.name for cluster in self.topology.clusters if cluster.name != HUB]

    def cluster(self, name: str) -> Cluster:
        """Return a cluster's place in the topology."""
        return next(cluster for cluster in self.topology.clusters if cluster.name == name)

    async def install(self, progress: Progress = lambda _: None) -> None:
        """Install the hub, create the project, join every worker with its own credential."""
        endpoint = f"https://{self.cluster(HUB).nodes[0].address}:{API_PORT}"
        # One replica: what stands by would cost all measurements on this machine processor time.
        await hub_installation.install(self.hub, HubValues(controller_endpoint=endpoint, image=IMAGE, replicas=1))
        progress("the hub runs")
        await hub_installation.create_project(self.hub, PROJECT)
        async with asyncio.TaskGroup() as group:
            for cluster in self.workers:
                group.create_task(self.join(cluster, progress))

    async def join(self, cluster: str, progress: Progress = lambda _: None) -> None:
        """Register a worker and install it with the credential that the hub makes for it."""
        credentials = await worker_installation.register(self.hub, PROJECT, cluster)
        await worker_installation.install(self.apis[cluster], PROJECT, cluster, credentials, IMAGE)
        await worker_installation.registered(self.hub, PROJECT, cluster)
        progress(f"{cluster} is registered")


@asynccontextmanager
async def clusters(workers: int, nodes: int = 0, *, mtu: int = MTU, keep: bool = False) -> AsyncIterator[Stage]:
    """Bring a lab up and yield it; take it down at the end, also after a failure, unless `keep`."""
    topology = lab_topology(workers, (nodes,) if nodes else (), places.lab(), mtu=mtu)
    started = time.monotonic()
    await asyncio.to_thread(commands.up, topology)
    took = time.monotonic() - started
    try:
        async with AsyncExitStack() as stack:
            apis = {cluster.name: await stack.enter_async_context(_api(cluster.name)) for cluster in topology.clusters}
            yield Stage(topology, apis, took)
    finally:
        if not keep:
            await asyncio.to_thread(commands.down, places.lab())


@asynccontextmanager
async def installed(workers: int, nodes: int = 0, *, mtu: int = MTU, keep: bool = False) -> AsyncIterator[Stage]:
    """Bring a lab up with KubeSlice on it."""
    async with clusters(workers, nodes, mtu=mtu, keep=keep) as stage:
        await stage.install()
        yield stage


def _api(cluster: str) -> HttpApi:
    return HttpApi(from_kubeconfig(yaml.safe_load(commands.kubeconfig(cluster, places.lab()))), "kubeslice-stage")
