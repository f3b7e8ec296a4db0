"""A gateway that is asked to end hands its traffic over first."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.clusters import Cluster, until
from tests.gateway.flow import Flow
from tests.gateway.mesh import Mesh
from tests.kernel import Kernel

pytestmark = [pytest.mark.kernel, pytest.mark.api, pytest.mark.asyncio(loop_scope="session")]


async def test_no_packet_is_lost_when_a_gateway_leaves(clusters: list[Cluster], kernel: Kernel, tmp_path: Path) -> None:
    near, far = clusters
    mesh = Mesh(clusters, planes=2)
    await mesh.equip()
    ends, addresses = await mesh.apps()
    await mesh.introduce_all()
    for plane in range(2):
        await near.tunnel_is("UP", "red", far, plane=plane)
        await far.tunnel_is("UP", "red", near, plane=plane)
    await mesh.routed()
    flows = [Flow.between(kernel, ends, addresses, tmp_path, port) for port in range(9000, 9004)]
    await asyncio.sleep(1)
    leaving = near.processes[mesh.gateway(0)]
    leaving.send_signal(signal.SIGTERM)
    assert await until(lambda: leaving.poll() is not None, 8) < 5
    assert leaving.returncode == 0
    await asyncio.sleep(1)
    lost = await asyncio.gather(*(asyncio.to_thread(flow.end) for flow in flows))
    assert lost == [([], [])] * len(flows)
