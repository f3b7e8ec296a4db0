"""A path that takes less than the tunnel would send, and tells nobody: found, put on the routes, told to the pods."""

import asyncio
import socket
import subprocess
import sys
from typing import Any

import pytest

from kubeslice.linux import netns
from kubeslice.linux.commands import run
from kubeslice.linux.netns import Namespace
from kubeslice.model.resources import SLICEGATEWAYS
from tests.clusters import Cluster, until
from tests.gateway.mesh import Mesh
from tests.kernel import Kernel

pytestmark = [pytest.mark.kernel, pytest.mark.api, pytest.mark.asyncio(loop_scope="session")]


def narrow(cluster: Cluster, other: Cluster, size: int) -> None:
    """Let larger packets vanish on their way from a node to another, without a word."""
    widen(cluster, other)
    cluster.kernel.ip(cluster.node, f"route replace {other.address}/32 dev eth0 mtu lock {size}")
    rule = "icmp type destination-unreachable icmp code frag-needed drop"
    chain = f"chain quiet {{ type filter hook output priority 0; policy accept\n{rule}\n}}"
    run(["nft", "-f", "-"], text=f"table ip quiet {{\n{chain}\n}}\n", namespace=cluster.node)


def widen(cluster: Cluster, other: Cluster) -> None:
    """Undo `narrow`."""
    cluster.kernel.ip(cluster.node, f"route flush root {other.address}/32", "route flush cache")
    run(["nft", "-f", "-"], text="table ip quiet\ndelete table ip quiet\n", namespace=cluster.node)


def serve(kernel: Kernel, server: Namespace) -> None:
    program = (
        "import socket\n"
        "ear = socket.create_server(('', 8000))\n"
        "while True:\n"
        "    one, _ = ear.accept(); one.sendall(bytes(500_000)); one.close()\n"
    )
    kernel.process(server, sys.executable, "-c", program)


def fetch(client: Namespace, target: str) -> tuple[int, int]:
    """Return how many bytes a server sent, and the segment size of the connection."""
    with netns.inside(client), socket.create_connection((target, 8000), timeout=5) as connection:
        size = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
        return sum(len(part) for part in iter(lambda: connection.recv(65536), b"")), size


def asks_whole(client: Namespace, target: str, size: int) -> str:
    command = ["ping", "-n", "-M", "do", "-s", str(size - 28), "-c", "2", "-i", "0.2", "-W", "1", target]
    with netns.inside(client):
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout


async def entry_of(cluster: Cluster, remote: Cluster) -> dict[str, Any]:
    obj = await cluster.api.get(SLICEGATEWAYS, f"red-{cluster.name}-{remote.name}", "kubeslice-system")
    planes = (obj.get("status") or {}).get("planes") or [{}]
    return dict(planes[0])


async def measures(cluster: Cluster, remote: Cluster, mtu: int, complaint: str = "", seconds: float = 25) -> None:
    """Wait until a gateway reports a path MTU, and what it says of the path: nothing, or something with these words."""
    entry: dict[str, Any] = {}
    try:
        async with asyncio.timeout(seconds):
            while entry.get("pathMTU") != mtu or not _says(entry, complaint):
                await asyncio.sleep(0.2)
                entry = await entry_of(cluster, remote)
    except TimeoutError as error:
        raise AssertionError(entry) from error


def _says(entry: dict[str, Any], complaint: str) -> bool:
    message = entry.get("message", "")
    return complaint in message if complaint else not message


async def test_a_path_that_swallows_large_packets_is_measured(clusters: list[Cluster], kernel: Kernel) -> None:
    near, far = clusters
    narrow(near, far, 1280)
    narrow(far, near, 1280)
    red = Mesh(clusters)
    await red.equip(PATH_SEARCH_SECONDS="1")
    client, server = await near.pod("ns-red", "client"), await far.pod("ns-red", "server")
    target = await far.address_of("ns-red", "server", "red")
    await near.address_of("ns-red", "client", "red")
    serve(kernel, server)
    await red.introduce_all()
    await near.tunnel_is("UP", "red", far)
    # 1280 less WireGuard's 60, in whole blocks of 16.
    for one, other in ((near, far), (far, near)):
        await measures(one, other, 1216)
    await until(lambda: kernel.pings(client, target), 8)
    assert await asyncio.to_thread(fetch, client, target) == (500_000, 1216 - 52)
    assert "mtu = 1216" in await asyncio.to_thread(asks_whole, client, target, 1300)
    assert "2 received" in await asyncio.to_thread(asks_whole, client, target, 1216)

    narrow(near, far, 1100)
    await measures(near, far, 1040, "packets of 1100 bytes only")
    assert "mtu = 1040" in await asyncio.to_thread(asks_whole, client, target, 1216)

    for one, other in ((near, far), (far, near)):
        widen(one, other)
    await measures(near, far, 1420)
