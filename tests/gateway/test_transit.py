"""Two clusters that do not reach each other, and a third that carries their packets, and no others."""

import asyncio

import pytest

from tests.clusters import Cluster
from tests.gateway.mesh import Mesh
from tests.kernel import Kernel

pytestmark = [pytest.mark.kernel, pytest.mark.api, pytest.mark.asyncio(loop_scope="session")]
DEAD = [31999]


@pytest.mark.parametrize("clusters", [3], indirect=True)
async def test_a_relay_carries_what_it_was_asked_to_carry(clusters: list[Cluster], kernel: Kernel) -> None:
    one, relay, other = clusters
    mesh = Mesh(clusters)
    await mesh.equip()
    ends, addresses = await mesh.apps()
    for end, far in ((one, other), (other, one)):
        await mesh.introduce(end, far, ports=DEAD, relay=relay.name)
        await mesh.introduce(end, relay, transitSubnets=[mesh.subnet(far)])
        await mesh.introduce(relay, end)
    for end in (one, other):
        await end.tunnel_is("UP", "red", relay)
        await relay.tunnel_is("UP", "red", end)
    assert not await asyncio.to_thread(kernel.pings, ends[0], addresses[1], seconds=1), "nobody asked the relay yet"

    await mesh.introduce(relay, one, carriedSubnets=[mesh.subnet(other)])
    await mesh.introduce(relay, other, carriedSubnets=[mesh.subnet(one)])
    assert await asyncio.to_thread(kernel.pings, ends[0], addresses[1], seconds=10)
    report = await one.tunnel_is("DOWN", "red", other)
    assert report["endpoint"] == f"{other.address}:31999", "the direct way is still tried"

    for end, far in ((one, other), (other, one)):
        await mesh.introduce(end, far, relay=relay.name)
    await one.tunnel_is("UP", "red", other)
    assert await asyncio.to_thread(kernel.pings, ends[0], addresses[1], seconds=2), "still through the relay"
    for end, far in ((one, other), (other, one)):
        await mesh.introduce(end, far)
        await mesh.introduce(end, relay)
        await mesh.introduce(relay, end)
    assert await asyncio.to_thread(kernel.pings, ends[0], addresses[1], seconds=5), "directly"
