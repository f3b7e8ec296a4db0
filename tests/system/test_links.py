"""A cut of the WAN is told within seconds, on both ends and on the hub; healed, everything is as before."""

import time

from kubeslice.kube import objects
from kubeslice.lab import commands
from kubeslice.model import names
from kubeslice.model.resources import SLICECONFIGS, SLICEGATEWAYS
from kubeslice.stage import application, places, slices
from kubeslice.stage.application import Place
from tests.system.world import Figure, Object, World, eventually

NOTICED = 20.0


async def test_a_cut_link_is_told_and_heals(world: World) -> None:
    started = time.monotonic()
    commands.cut("worker-1", "worker-3", places.lab())
    try:
        for local, remote in (("worker-1", "worker-3"), ("worker-3", "worker-1")):
            gateway = await eventually(lambda a=local, b=remote: _down(world, a, b), "DOWN", NOTICED)  # type: ignore[misc]
            ready = objects.condition(gateway, "Ready")
            assert ready is not None
            assert ready["status"] == "False"
            assert remote in ready["message"]
        config = await eventually(lambda: _not_ready(world), "Ready=False on the hub", NOTICED)
        world.figures.append(Figure("cut of a link told by the slice on the hub", time.monotonic() - started))
        message = (objects.condition(config, "Ready") or {})["message"]
        assert "8 of 12 tunnels up" in message
        assert "worker-1" in message
        shown = await world.kubeslice("slice", "status", "red")
        assert shown.status == 1
        assert b"8/12" in shown.stdout
        # What is not cut goes on.
        client = await world.place(world.red, "worker-1")
        assert (await application.ask(client, f"http://{world.red.host}/")).status == 0
        # And what was cut meets through the cluster between.
        near, far = await world.place(world.red, "worker-1"), await world.place(world.red, "worker-3")
        await eventually(lambda: _answers(near, far), "the way through worker-2")
        world.figures.append(Figure("cut clusters meet through a third one", time.monotonic() - started))
    finally:
        commands.heal(name=places.lab())
    async with world.converging("healing of a link"):
        pass
    assert await _answers(near, far)


async def _down(world: World, local: str, remote: str) -> Object | None:
    name = names.slice_gateway(world.red.slice_name, local, remote)
    found = await world.api(local).get(SLICEGATEWAYS, name, names.WORKER_NAMESPACE)
    states = [plane["state"] for plane in objects.status(found)["planes"]]
    is_told = states == ["DOWN", "DOWN"] and not objects.is_true(found, "Ready")
    return found if is_told else None


async def _answers(near: Place, far: Place) -> bool:
    return (await near.run("ping", "-n", "-c", "1", "-W", "2", far.address)).status == 0


async def _not_ready(world: World) -> Object | None:
    found = await world.hub.get(SLICECONFIGS, world.red.slice_name, slices.NAMESPACE)
    return None if objects.is_true(found, "Ready") or objects.status(found)["tunnels"] != "8/12" else found
