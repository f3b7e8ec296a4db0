"""The whole data path of two clusters with everything real but the operator: segments, tunnel, routers, isolation."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kubeslice.linux import netns
from kubeslice.linux.commands import run
from kubeslice.model import names
from kubeslice.plan.ipam import ClusterPlan
from tests.clusters import NODEPORT, Cluster, some_clusters, until
from tests.kernel import Kernel

pytestmark = [pytest.mark.kernel, pytest.mark.api]


@dataclass
class Pair:
    """Two clusters with a slice that has everything but the introduction of its gateways to each other."""

    clusters: list[Cluster]
    plans: list[ClusterPlan]
    keys: list[str]
    slice: str = "red"
    port: int = NODEPORT

    async def introduce(self) -> None:
        """Tell each side of the other, as the hub and the operators do."""
        one, other = self.clusters
        await one.peer(self.slice, other, self.keys[1], str(self.plans[1].subnet), self.port)
        await other.peer(self.slice, one, self.keys[0], str(self.plans[0].subnet), self.port)


async def equip(clusters: list[Cluster], name: str, vni: int, port: int) -> Pair:
    """Start gateway and router of a slice in each cluster, and put the namespace of its name on it."""
    plans, keys = [], []
    for cluster in clusters:
        plans.append(await cluster.slice(name, vni))
        private = run(["wg", "genkey"])
        keys.append(run(["wg", "pubkey"], text=private).strip())
        directory = cluster.directory / f"keys-{name}"
        directory.mkdir()
        (directory / "privateKey").write_text(private)
        await cluster.namespace(f"ns-{name}", name)
        labels = {names.SLICE_LABEL: name}
        gateway, router = f"gateway-{name}", f"router-{name}"
        types = {names.POD_TYPE_LABEL: names.GATEWAY_POD, names.PLANE_LABEL: "0"}
        inside = await cluster.pod(names.WORKER_NAMESPACE, gateway, {**labels, **types})
        cluster.expose(gateway, port)
        settings = {"PLANE": "0", "POD_NAME": gateway, "WIREGUARD_KEYS": str(directory)}
        cluster.run(gateway, inside, SLICE=name, **settings)
        types = {names.POD_TYPE_LABEL: names.ROUTER_POD}
        inside = await cluster.pod(names.WORKER_NAMESPACE, router, {**labels, **types})
        cluster.run(router, inside, SLICE=name, ROUTER="0")
    return Pair(clusters, plans, keys, name, port)


@pytest.fixture
async def clusters(kernel: Kernel, tmp_path: Path) -> AsyncIterator[list[Cluster]]:
    async with some_clusters(kernel, 2, tmp_path) as made:
        for cluster in made:
            cluster.run("agent", HEALTH_PORT="9479")
        try:
            yield made
        finally:
            for cluster in made:
                for component in cluster.processes:
                    print(f"--- {cluster.name} {component}\n{cluster.log(component)}"[-9000:])


async def test_pods_of_two_clusters_reach_each_other_and_slices_stay_apart(
    clusters: list[Cluster], kernel: Kernel
) -> None:
    red = await equip(clusters, "red", 4097, 30000)
    near, far = clusters
    client, server = await near.pod("ns-red", "client"), await far.pod("ns-red", "server")
    target = await far.address_of("ns-red", "server", "red")
    await asyncio.sleep(2)
    began = time.monotonic()
    await red.introduce()
    await near.tunnel_is("UP", "red", far)
    print("UP after", time.monotonic() - began)
    assert await asyncio.to_thread(kernel.pings, client, target, seconds=8)
    print("usable after", time.monotonic() - began)
    assert server is not None
