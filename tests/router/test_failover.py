"""What pods notice when a router or the path of a plane dies: real segments, BIRD and keepalived, wires for tunnels."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from kubeslice.model.names import ROUTERS
from tests.clusters import until
from tests.kernel import Kernel
from tests.router.echoes import Echo, Flow
from tests.router.server import Server
from tests.router.sites import Site, connect

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(not all(map(shutil.which, ("bird", "keepalived"))), reason="needs bird2 and keepalived"),
]

SOON = 0.9  # seconds that the budget allows: 1 s


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    made = Server(tmp_path / "api")
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def pair(kernel: Kernel, server: Server, tmp_path: Path) -> AsyncIterator[tuple[Site, Site]]:
    sites = [Site(kernel, server, number, tmp_path) for number in (1, 2)]
    try:
        for site in sites:
            await site.start()
        await connect(*sites)
        for site in sites:
            await settled(site)
        yield sites[0], sites[1]
    finally:
        for site in sites:
            site.stop()
        print(sites[0].log())


async def settled(site: Site) -> None:
    """Wait until all sessions of a site's routers are up and each holds its own next hop."""
    for number in range(ROUTERS):
        for _ in range(300):
            states = await site.sessions(number)
            if len(states) > 1 and all(states.values()) and site.holds(number) == {number}:
                break
            await asyncio.sleep(0.05)
        else:
            raise AssertionError(f"router {number} of {site.name}: {states}, holds {site.holds(number)}")


@pytest.fixture
def flows(pair: tuple[Site, Site]) -> Iterator[list[Flow]]:
    near, far = pair
    echoes = [Echo(far.pods[f"app-{number}"]) for number in (0, 1)]
    made = [Flow(near.pods[f"app-{source}"], str(far.subnet[64 + target])) for source in (0, 1) for target in (0, 1)]
    yield made
    for flow in made:
        flow.stop()
    for echo in echoes:
        echo.close()


def results(flows: list[Flow]) -> tuple[int, float]:
    """Return the packets lost and the longest gap of all flows."""
    ends = [flow.stop() for flow in flows]
    return sum(lost for lost, _ in ends), max(gap for _, gap in ends)


async def test_a_router_that_goes_in_order_loses_nothing(pair: tuple[Site, Site], flows: list[Flow]) -> None:
    near, _ = pair
    await asyncio.sleep(0.5)
    process = near.terminate(0)
    assert await until(lambda: near.holds(1) == {0, 1}, 2) < 0.5
    assert await until(lambda: process.poll() is not None, 4) < 2.5
    near.unplug(0)
    await asyncio.sleep(1)
    lost, gap = results(flows)
    assert lost == 0, (lost, gap)


async def test_a_router_that_is_killed_with_all_its_programs(pair: tuple[Site, Site], flows: list[Flow]) -> None:
    near, _ = pair
    await asyncio.sleep(0.5)
    near.kill(0)
    await until(lambda: 0 in near.holds(1), 2)
    await asyncio.sleep(0.5)
    near.run(0)
    await settled(near)
    lost, gap = results(flows)
    assert gap < 0.3, (lost, gap)  # its kernel forwards on; see how long it takes below, where it does not


async def test_a_router_whose_pod_is_gone(pair: tuple[Site, Site], flows: list[Flow]) -> None:
    near, _ = pair
    await asyncio.sleep(0.5)
    near.destroy(0)
    await until(lambda: 0 in near.holds(1), 2)
    await asyncio.sleep(1)
    lost, gap = results(flows)
    assert 0 < lost, "the test would not notice a loss"
    assert gap < SOON, (lost, gap)


async def test_the_path_of_a_plane_that_goes_dark(pair: tuple[Site, Site], flows: list[Flow]) -> None:
    near, far = pair
    assert near.routes(0, far.subnet) == {str(near.plan.gateway(plane)) for plane in (0, 1)}
    await asyncio.sleep(0.5)
    near.cut(0)
    await until(lambda: near.routes(0, far.subnet) == {str(near.plan.gateway(1))}, 3)
    await asyncio.sleep(1)
    lost, gap = results(flows)
    assert 0 < lost, "no flow went through the plane that was cut"
    assert gap < SOON, (lost, gap)
    near.heal(0)
    await settled(near)
