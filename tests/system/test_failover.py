"""What dies does not take flows along: one trial each of a few faults of `kubeslice bench failover`."""

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from kubeslice.bench.failover import once
from kubeslice.bench.faults import faults
from kubeslice.bench.matrix import Outcome
from kubeslice.bench.scene import Scene, ends
from kubeslice.kube import objects
from kubeslice.model.resources import DEPLOYMENTS, SLICECONFIGS
from kubeslice.stage import slices
from kubeslice.stage.traffic import Load, traffic
from tests.system.world import Figure, World

FAULTS = {fault.name: fault for fault in faults()}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(world: World) -> AsyncIterator[Scene]:
    """Red, with traffic between its first two clusters."""
    first, second = await ends(world.stage, world.red, world.red.clusters[:2])
    config = await world.hub.get(SLICECONFIGS, world.red.slice_name, slices.NAMESPACE)
    try:
        async with traffic(first, second, Load(small=4, bulk=1)) as talking:
            found = Scene(world.stage, world.red, talking, int(objects.spec(config)["gatewayReplicas"]))
            await found.recovered()
            yield found
    finally:
        for cluster in world.red.clusters[:2]:
            await world.api(cluster).delete(DEPLOYMENTS, "meter", world.red.namespace)
    await world.settled()


@pytest.mark.parametrize("name", ["tunnel-process", "plane-one-way", "gateway-delete", "operator"])
async def test_flows_survive(world: World, running: Scene, name: str) -> None:
    fault, started = FAULTS[name], time.monotonic()
    trial = await once(running, fault, 0)
    seen = trial.sight
    note = f"gap {seen.gap:.2f} s, {seen.lost} of {seen.packets} packets lost"
    world.figures.append(Figure(f"failover: {name}, {trial.victim}", time.monotonic() - started, note))
    assert seen.packets > 1000
    assert Outcome(name, fault.promise, [trial]).missed == ""
