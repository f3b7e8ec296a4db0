"""Keys change under traffic: one generation after the other, side by side, and no packet notices."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from kubeslice.linux.netns import Namespace
from tests.clusters import Cluster, until
from tests.gateway.flow import Flow
from tests.gateway.mesh import Mesh
from tests.kernel import Kernel

pytestmark = [pytest.mark.kernel, pytest.mark.api, pytest.mark.asyncio(loop_scope="session")]


async def test_a_rotation_under_traffic_loses_no_packet(
    clusters: list[Cluster], kernel: Kernel, tmp_path: Path
) -> None:
    near, far = clusters
    mesh = Mesh(clusters)
    await mesh.equip()
    ends, addresses = await mesh.apps()
    await mesh.introduce_all()
    for one, other in ((near, far), (far, near)):
        await one.tunnel_is("UP", "red", other, generation=1)
    assert await asyncio.to_thread(kernel.pings, ends[0], addresses[1], seconds=10)
    flow = Flow.between(kernel, ends, addresses, tmp_path)
    await asyncio.sleep(1)
    for number in (2, 3):
        # The next generation comes into force at one end, later at the other, and each hears of the other's key alone.
        for one in (near, far):
            await mesh.in_force(one, number - 1, number)
            await asyncio.sleep(0.25)
        await mesh.introduce(far, near, number - 1, number)
        await asyncio.sleep(0.5)
        # One gateway sleeps while the other changes over: the directions take different generations.
        os.kill(far.processes[mesh.gateway()].pid, signal.SIGSTOP)
        await mesh.introduce(near, far, number - 1, number)
        await near.tunnel_is("UP", "red", far, generation=number)
        await asyncio.sleep(0.5)
        os.kill(far.processes[mesh.gateway()].pid, signal.SIGCONT)
        await far.tunnel_is("UP", "red", near, generation=number)
        for one, other in ((near, far), (far, near)):
            await mesh.in_force(one, number)
            await mesh.introduce(one, other, number)
        inside, device = near.pods[mesh.gateway()], f"wg{number % 2}"
        await until(lambda inside=inside, device=device: wireguard_devices(kernel, inside) == {device}, 5)  # type: ignore[misc]
    lost = await asyncio.to_thread(flow.end)
    assert lost == ([], [])


def wireguard_devices(kernel: Kernel, inside: Namespace) -> set[str]:
    """Return the tunnel devices of a pod."""
    listed = kernel.ip(inside, "link show")
    return {name for name in ("wg0", "wg1") if f" {name}: " in listed}
