"""What is wrong is said where people look, and goes away when it is mended; what works is left alone."""

import asyncio
import os
import socket

import pytest

from kubeslice.linux import netns
from tests.clusters import Cluster, until
from tests.gateway.mesh import Mesh
from tests.kernel import Kernel

pytestmark = [pytest.mark.kernel, pytest.mark.api, pytest.mark.asyncio(loop_scope="session")]


async def is_told(cluster: Cluster, remote: Cluster, words: str) -> str:
    """Wait until a gateway reports something with these words; returns the state of the tunnel."""
    report: dict[str, str] = {}
    for _ in range(200):
        report = await cluster.report("red", remote)
        if words in report.get("message", "" if words else "nothing yet"):
            return report["state"]
        await asyncio.sleep(0.05)
    raise AssertionError(f"never said {words!r}, last: {report}")


async def is_fine(cluster: Cluster, remote: Cluster) -> None:
    """Wait until a gateway reports that a tunnel is up and nothing wrong."""
    for _ in range(400):
        report = await cluster.report("red", remote)
        if report.get("state") == "UP" and "message" not in report:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"never fine, last: {report}")


async def test_keys_that_are_none_and_datagrams_that_are_garbage(clusters: list[Cluster], kernel: Kernel) -> None:
    near, far = clusters
    mesh = Mesh(clusters)
    await mesh.equip()
    await mesh.introduce_all()
    await is_fine(near, far)

    with netns.inside(near.node), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wan:
        for number in range(2000):
            kind = (number % 5).to_bytes(4, "little")
            wan.sendto(kind + os.urandom((0, 88, 28, 60, 1200)[number % 5]), (far.address, mesh.port + 1))
    await asyncio.sleep(2)
    assert (await far.report("red", near))["state"] == "UP"

    await mesh.in_force(near, 1, privateKey_1="garbage")
    assert await is_told(near, far, "malformed privateKey-1") == "UP", "what works is left alone"
    await mesh.in_force(near, 1, psk_worker_2_1="garbage")
    await near.tunnel_is("DOWN", "red", far, message="worker-2 is left out: the Secret of this gateway has a "
                         "malformed pre-shared key for it")  # fmt: skip
    await mesh.in_force(near, 1)
    await is_fine(near, far)


async def test_a_port_that_is_taken_is_said_and_taken_over_when_it_is_free(
    clusters: list[Cluster], kernel: Kernel
) -> None:
    near, far = clusters
    mesh = Mesh(clusters)
    await mesh.equip()
    await mesh.introduce_all()
    await is_fine(near, far)
    name = mesh.gateway()
    near.kill(name)
    with netns.inside(near.pods[name]):
        thief = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        await until(lambda: not near.kernel.ip(near.pods[name], "link show").count("wg1"), 5)
        thief.bind(("", 51821))
    near.run(name, near.pods[name], PLANE="0", POD_NAME="another", SLICE="red")
    await is_told(near, far, "UDP port 51821 of the gateway is not free")
    thief.close()
    await is_fine(near, far)
    assert (await near.report("red", far))["podName"] == "another"


async def test_a_peer_that_moves_is_followed(clusters: list[Cluster], kernel: Kernel) -> None:
    near, far = clusters
    mesh = Mesh(clusters)
    await mesh.equip()
    await mesh.introduce(near, far, ports=[31999])
    await mesh.introduce(far, near, ports=[])
    await near.tunnel_is("DOWN", "red", far)
    await asyncio.sleep(4)  # by now it is called every few seconds only
    await mesh.introduce(near, far)
    await near.tunnel_is("UP", "red", far, seconds=2, endpoint=f"{far.address}:{mesh.port + 1}")
    far.expose(mesh.gateway(), 30020)
    await mesh.introduce(near, far, ports=[30021])
    await near.tunnel_is("UP", "red", far, seconds=45, endpoint=f"{far.address}:30021")
    await is_fine(near, far)
