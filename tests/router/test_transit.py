"""Two clusters that do not reach each other, through a third: what each router announces and believes."""

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.kernel import Kernel
from tests.router.echoes import Flows
from tests.router.sites import Site, announce, carry, connect, connected, some_sites

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(not all(map(shutil.which, ("bird", "keepalived"))), reason="needs bird2 and keepalived"),
]

BY_HUB = {"peer_1_0", "peer_1_1", "partner", "last_resort"}


async def test_through_a_hub_that_carries_and_back_to_the_direct_way(kernel: Kernel, tmp_path: Path) -> None:
    async with some_sites(kernel, tmp_path, [1, 2, 3]) as (hub, one, other):
        await connect(hub, one, ([], [other.subnet]))
        await connect(hub, other)
        for site in (hub, one, other):
            await connected(site)
        await learned(one, other, BY_HUB)
        await learned(hub, one, {"peer_2_0", "peer_2_1", "partner", "last_resort"})
        await learned(other, hub, BY_HUB)
        assert await other.sources(0, one.subnet) == set(), "the hub must not announce what it does not carry"

        carry(other, hub, one.subnet)
        await announce(hub, other, ([], [one.subnet]))
        await learned(other, one, BY_HUB)
        lost, gap = await cut_under_traffic(hub, one, other)
        assert gap < 0.9, (lost, gap)

        # The two are joined directly, and their pair has a relay for now: sessions, but no route from them.
        await connect(one, other)
        await announce(one, other, relay="red-1")
        await connected(one)
        assert await one.sources(0, other.subnet) == BY_HUB
        await announce(one, other)
        await learned(one, other, BY_HUB | {"peer_3_0", "peer_3_1"})
        assert {str(one.plan.gateway(0)), str(one.plan.gateway(1))} == one.routes(0, other.subnet)


async def learned(site: Site, remote: Site, sources: set[str]) -> None:
    """Wait until both routers of a site know a subnet from these protocols and no other."""
    for number in (0, 1):
        for _ in range(200):
            found = await site.sources(number, remote.subnet)
            if found == sources:
                break
            await asyncio.sleep(0.05)
        assert found == sources, f"router {number} of {site.name}"


async def cut_under_traffic(hub: Site, one: Site, other: Site) -> tuple[int, float]:
    """Let a gateway of the hub go dark while pods of two spokes talk; returns packets lost and the longest gap."""
    flows = Flows(
        [one.pods["app-0"], one.pods["app-1"]],
        {str(other.address(number)): other.pods[f"app-{number}"] for number in (0, 1)},
    )
    flows.start()
    await asyncio.sleep(0.5)
    hub.cut(1)
    await asyncio.sleep(1.5)
    result = flows.stop()
    hub.heal(1)
    return result
