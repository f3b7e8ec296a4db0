"""The whole data path of two clusters with everything real but the operator: segments, tunnel, routers, isolation."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kubeslice.linux import netns
from kubeslice.linux.commands import run
from kubeslice.linux.netns import Namespace
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
        types = {names.POD_TYPE_LABEL: names.ROUTER_POD, names.ROUTER_LABEL: "0"}
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
                    print(f"--- {cluster.name} {component}\n{cluster.log(component)}"[-4000:])


def dials(kernel: Kernel, client: Namespace, target: str, port: int = 8000) -> str:
    """Return what a TCP server says to a client, "" when it cannot be reached."""
    with netns.inside(client):
        try:
            with socket.create_connection((target, port), timeout=0.5) as connection:
                connection.settimeout(2)
                return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        except OSError:
            return ""


def serve(kernel: Kernel, server: Namespace, words: str) -> None:
    """Serve these words and many full packets to everybody on TCP port 8000 of a pod."""
    program = (
        "import socket, sys\n"
        "ear = socket.create_server(('', 8000))\n"
        "while True:\n"
        "    one, _ = ear.accept(); one.sendall(sys.argv[1].encode() + bytes(500_000)); one.close()\n"
    )
    kernel.process(server, sys.executable, "-c", program, words)


async def test_slices_with_one_subnet_reach_their_own_pods_only(clusters: list[Cluster], kernel: Kernel) -> None:
    near, far = clusters
    red = await equip(clusters, "red", 4097, 30000)
    blue = await equip(clusters, "blue", 4098, 30001)
    sandboxes = {}
    for name in ("red", "blue"):
        sandboxes[name] = await near.pod(f"ns-{name}", f"client-{name}"), await far.pod(f"ns-{name}", f"server-{name}")
        serve(kernel, sandboxes[name][1], f"I am {name}.")
    targets = [await far.address_of(f"ns-{name}", f"server-{name}", name) for name in ("red", "blue")]
    assert targets[0] == targets[1], "the same address, in two slices"
    await red.introduce()
    report = await near.tunnel_is("UP", "red", far)
    assert report["podName"] == "gateway-red"
    assert await until(lambda: dials(kernel, sandboxes["red"][0], targets[0]).startswith("I am red."), 8) < 4
    assert not dials(kernel, sandboxes["blue"][0], targets[1]), "blue has no tunnel yet and must not use that of red"
    await blue.introduce()
    await until(lambda: dials(kernel, sandboxes["blue"][0], targets[1]).startswith("I am blue."), 8)
    assert dials(kernel, sandboxes["red"][0], targets[0]).startswith("I am red.")

    # A gateway and a router join the slice's own networks, never the cluster's.
    far_gateway, far_router = far.pods["gateway-red"], far.pods["router-red"]
    inner = str(red.plans[1].gateway(0)), str(red.plans[1].router(0))
    for sandbox in (far_gateway, far_router):
        serve(kernel, sandbox, "secret")
    client = sandboxes["red"][0]
    assert all(kernel.pings(client, address) for address in inner)
    assert not any(dials(kernel, client, address) for address in inner)
    kernel.ip(client, f"route add 10.244.0.0/16 via {red.plans[0].router_next_hop(0)}")
    assert not kernel.pings(client, "10.244.2.2", source="ks0", seconds=0.4)


async def test_a_tunnel_heals(clusters: list[Cluster], kernel: Kernel) -> None:
    near, far = clusters
    red = await equip(clusters, "red", 4097, 30000)
    client = await near.pod("ns-red", "client")
    await far.pod("ns-red", "server")
    target = await far.address_of("ns-red", "server", "red")
    await near.address_of("ns-red", "client", "red")
    await near.peer("red", far, red.keys[1], str(red.plans[1].subnet), 31999, red.port)
    await far.peer("red", near, red.keys[0], str(red.plans[0].subnet), 31999)
    await near.tunnel_is("UP", "red", far)
    assert await asyncio.to_thread(kernel.pings, client, target, seconds=5), "by the second endpoint, the first is dead"

    engine = _child(near.processes["gateway-red"].pid, "wireguard-go")
    os.kill(engine, signal.SIGKILL)
    assert await asyncio.to_thread(kernel.pings, client, target, seconds=10), "after the tunnel's program was killed"
    assert _child(near.processes["gateway-red"].pid, "wireguard-go") != engine

    kernel.ip(near.pods["gateway-red"], "route flush proto 75")
    assert await asyncio.to_thread(kernel.pings, client, target, seconds=5), "after its routes were removed"

    kernel.ip(near.node, "link set eth0 down")
    await near.tunnel_is("DOWN", "red", far)
    kernel.ip(near.node, "link set eth0 up")
    await near.tunnel_is("UP", "red", far)
    assert await asyncio.to_thread(kernel.pings, client, target, seconds=10), "after the WAN came back"


def _child(parent: int, name: str) -> int:
    for entry in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        if Path(f"/proc/{entry}/comm").read_text().strip() == name:
            return int(entry)
    return 0
