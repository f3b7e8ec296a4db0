"""What pods notice when a router or the path of a plane dies: real segments, BIRD and keepalived, wires for tunnels."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.clusters import until
from tests.kernel import a_kernel
from tests.router.echoes import Flows
from tests.router.sites import Site, connect, connected, settled, some_sites

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not all(map(shutil.which, ("bird", "keepalived"))), reason="needs bird2 and keepalived"),
]


SOON = 0.9  # seconds that the budget allows: 1 s


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sites(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[Site]]:
    """Two joined sites for all tests, each of which leaves them as it found them."""
    directory = tmp_path_factory.mktemp("sites")
    with a_kernel(directory / "netns") as kernel:
        async with some_sites(kernel, directory, [1, 2]) as made:
            await connect(made[0], made[1])
            for site in made:
                await connected(site)
            yield made


@pytest.fixture
def near(sites: list[Site]) -> Site:
    return sites[0]


@pytest.fixture
def far(sites: list[Site]) -> Site:
    return sites[1]


@pytest.fixture
def flows(near: Site, far: Site) -> Iterator[Flows]:
    """Traffic between two pods here, one for each next hop, and two pods there, there and back: enough for any hash.

    Each test starts it when the routers are as it needs them.
    """
    made = Flows(
        [near.pods[f"app-{number}"] for number in (0, 1)] * 3,
        {str(far.address(number)): far.pods[f"app-{number}"] for number in (0, 1)},
    )
    yield made
    made.stop()


async def test_a_router_that_goes_in_order_loses_nothing(near: Site, far: Site, flows: Flows) -> None:
    await settled(near)
    flows.start()
    ways = near.routes(0, far.subnet)
    process = near.terminate(0)
    assert await until(lambda: near.holds(1) == {0, 1}, 2) < 0.5
    assert await until(lambda: process.poll() is not None, 4) < 2.5
    assert near.routes(0, far.subnet) == ways, "whoever still sends to it is served to the end"
    near.plug(0, is_in=False)
    await asyncio.sleep(1)
    lost, gap = flows.stop()
    near.plug(0, is_in=True)
    near.run(0)
    await connected(near)
    assert lost == 0, (lost, gap)


async def test_a_router_that_comes_back_loses_nothing(far: Site, flows: Flows) -> None:
    await settled(far)
    flows.start()
    far.kill(1)
    await until(lambda: 1 in far.holds(0), 2)
    far.run(1)
    await settled(far)
    lost, gap = flows.stop()
    assert gap < 0.3, (lost, gap)  # the kernel of its pod has forwarded all the time


async def test_a_router_whose_pod_is_gone(near: Site, flows: Flows) -> None:
    await settled(near)
    flows.start()
    near.plug(0, is_in=False)
    near.kill(0)
    await until(lambda: 0 in near.holds(1), 2)
    await asyncio.sleep(0.5)
    lost, gap = flows.stop()
    near.plug(0, is_in=True)
    near.run(0)
    await connected(near)
    assert lost > 0, "the test would not notice a loss"
    assert gap < SOON, (lost, gap)


async def test_the_path_of_a_plane_that_goes_dark(near: Site, far: Site, flows: Flows) -> None:
    assert near.routes(0, far.subnet) == {str(near.plan.gateway(plane)) for plane in (0, 1)}
    flows.start()
    near.cut(0)
    await until(lambda: near.routes(0, far.subnet) == {str(near.plan.gateway(1))}, 3)
    await asyncio.sleep(0.5)
    lost, gap = flows.stop()
    near.heal(0)
    await connected(near)
    assert lost > 0, "no flow went through the plane that was cut"
    assert gap < SOON, (lost, gap)


async def test_a_router_without_sessions_goes_through_its_partner(near: Site, far: Site, flows: Flows) -> None:
    await settled(near)
    flows.start()
    partner, own = {str(near.plan.router(1))}, near.routes(0, far.subnet)
    near.silence(0)
    await until(lambda: near.routes(0, far.subnet) == partner, 3)
    await asyncio.sleep(0.5)
    near.unsilence(0)
    await connected(near)
    lost, gap = flows.stop()
    assert near.routes(0, far.subnet) == own
    assert lost == 0, (lost, gap)


async def test_without_any_session_the_gateways_are_believed(near: Site, far: Site, flows: Flows) -> None:
    await settled(near)
    flows.start()
    hops = {str(near.plan.gateway(plane)) for plane in (0, 1)}
    for number in (0, 1):
        far.silence(number)
    await until(lambda: not any(asyncio.run(near.sessions(0)).get(f"peer_2_{plane}") for plane in (0, 1)), 3)
    await asyncio.sleep(0.3)
    assert near.routes(0, far.subnet) == near.routes(1, far.subnet) == hops
    for number in (0, 1):
        far.unsilence(number)
    await connected(near)
    lost, gap = flows.stop()
    assert lost == 0, (lost, gap)


async def test_both_routers_and_both_planes_carry(near: Site, flows: Flows) -> None:
    await settled(near)
    flows.start()
    before = near.carried()
    await asyncio.sleep(1)
    after = near.carried()
    assert all(after[name] - before[name] > 50 for name in before), (before, after)
    assert flows.stop()[0] == 0
