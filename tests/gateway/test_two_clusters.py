"""The whole data path of two clusters with everything real but the operator: segments, tunnel, routers, isolation."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from kubeslice.linux import netns
from kubeslice.linux.netns import Namespace
from tests.clusters import Cluster, until
from tests.gateway.mesh import Mesh
from tests.kernel import Kernel

pytestmark = [pytest.mark.kernel, pytest.mark.api, pytest.mark.asyncio(loop_scope="session")]


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
    red, blue = Mesh(clusters), Mesh(clusters, "blue", 4098, 30010)
    for mesh in (red, blue):
        await mesh.equip()
    sandboxes = {}
    for name in ("red", "blue"):
        sandboxes[name] = await near.pod(f"ns-{name}", f"client-{name}"), await far.pod(f"ns-{name}", f"server-{name}")
        serve(kernel, sandboxes[name][1], f"I am {name}.")
    targets = [await far.address_of(f"ns-{name}", f"server-{name}", name) for name in ("red", "blue")]
    assert targets[0] == targets[1], "the same address, in two slices"
    await red.introduce_all()
    report = await near.tunnel_is("UP", "red", far)
    assert report["podName"] == "gateway-red-0"
    assert await until(lambda: dials(kernel, sandboxes["red"][0], targets[0]).startswith("I am red."), 8) < 4
    assert not dials(kernel, sandboxes["blue"][0], targets[1]), "blue has no tunnel yet and must not use that of red"
    await blue.introduce_all()
    await until(lambda: dials(kernel, sandboxes["blue"][0], targets[1]).startswith("I am blue."), 8)
    assert dials(kernel, sandboxes["red"][0], targets[0]).startswith("I am red.")

    # A gateway and a router join the slice's own networks, never the cluster's.
    far_gateway, far_router = far.pods["gateway-red-0"], far.pods["router-red"]
    plan = red.plans[far.name]
    inner = str(plan.gateway(0)), str(plan.router(0))
    for sandbox in (far_gateway, far_router):
        serve(kernel, sandbox, "secret")
    client = sandboxes["red"][0]
    assert all(kernel.pings(client, address) for address in inner)
    assert not any(dials(kernel, client, address) for address in inner)
    kernel.ip(client, f"route add 10.244.0.0/16 via {red.plans[near.name].router_next_hop(0)}")
    assert not kernel.pings(client, far.addresses["gateway-red-0"], source="ks0", seconds=0.4)


async def test_a_tunnel_heals(clusters: list[Cluster], kernel: Kernel) -> None:
    near, far = clusters
    red = Mesh(clusters)
    await red.equip()
    client = await near.pod("ns-red", "client")
    await far.pod("ns-red", "server")
    target = await far.address_of("ns-red", "server", "red")
    await near.address_of("ns-red", "client", "red")
    await red.introduce(near, far, ports=[31999, red.port + 1])
    await red.introduce(far, near, ports=[31999])
    await near.tunnel_is("UP", "red", far)
    assert await asyncio.to_thread(kernel.pings, client, target, seconds=5), "by the second endpoint, the first is dead"

    engine = _child(near.processes["gateway-red-0"].pid, "wireguard-go")
    os.kill(engine, signal.SIGKILL)
    assert await asyncio.to_thread(kernel.pings, client, target, seconds=10), "after the tunnel's program was killed"
    assert _child(near.processes["gateway-red-0"].pid, "wireguard-go") != engine

    kernel.ip(near.pods["gateway-red-0"], "route flush proto 75")
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
