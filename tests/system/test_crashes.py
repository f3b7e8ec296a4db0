"""Whatever process is killed, one at a time and in random order, the world comes right again while traffic runs."""

import os
import random
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from kubeslice.stage import processes
from kubeslice.stage.processes import Process
from tests.system.traffic import Traffic, traffic
from tests.system.world import Figure, World, eventually

SEED = int(os.environ.get("KUBESLICE_SEED") or time.time_ns() % 100_000)
# Nothing of this carries packets: when it dies, a request by address must not notice.
CONTROL = ("hub", "worker", "agent", "webhook", "apiserver", "kubelet", "controllers", "proxy")
# This does, and with one plane its death is a gap until its successor works.
CARRIERS = ("gateway", "wireguard-go", "router", "bird")
# This answers names: requests by address must not notice either.
NAMERS = ("dns", "knotd", "coredns")
LONGEST_GAP = 10.0
ALL = (*CONTROL, *CARRIERS, *NAMERS)
KINDS = random.Random(SEED).sample(ALL, k=len(ALL))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(world: World) -> AsyncIterator[Traffic]:
    """Traffic of red, from worker-1 to worker-2."""
    client = await world.place(world.red, world.red.client)
    server = await world.place(world.red, world.red.server, "web")
    async with traffic(client, server.address, world.red.host) as asking:
        await eventually(lambda: _flows(asking), "the first answers")
        yield asking


async def _flows(asking: Traffic) -> bool:
    return all(asking.answered(kind) for kind in ("address", "name", "flow"))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_killed_process_is_replaced(world: World, running: Traffic, kind: str) -> None:
    victim = random.Random(f"{SEED} {kind}").choice(await _candidates(world, kind))
    started = time.monotonic()
    processes.kill(victim)
    await eventually(lambda: _successor(world, victim), f"a successor of {victim}, seed {SEED}")
    replaced = time.monotonic() - started
    await world.settled()
    took = time.monotonic() - started
    await running.caught_up()
    note = f"replaced after {replaced:.1f} s; {running.note(started)}"
    world.figures.append(Figure(f"killed {victim}", took, note))
    if kind in CARRIERS:
        assert running.gap("address", started) < LONGEST_GAP, SEED
    else:
        assert not running.lost("address", started), SEED
        assert not running.lost("flow", started), SEED


async def _candidates(world: World, kind: str) -> list[Process]:
    """Return the processes of a kind; of those that the traffic needs, the ones it passes."""
    found = [process for process in await _all(world) if process.kind == kind]
    if kind in NAMERS:
        return [process for process in found if process.cluster == world.red.client]
    if kind in CARRIERS:
        on_path = {world.red.client, world.red.server}
        return [one for one in found if one.slice_name == world.red.slice_name and one.cluster in on_path]
    return found


async def _all(world: World) -> list[Process]:
    return [*await processes.of_pods(world.stage), *await processes.of_lab()]


async def _successor(world: World, victim: Process) -> bool:
    found = await (processes.of_lab() if "/" in victim.home else processes.of_pods(world.stage))
    return any(process.role == victim.role and process.pid != victim.pid for process in found)
