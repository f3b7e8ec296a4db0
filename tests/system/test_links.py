"""A cut of the WAN is told within seconds, on both ends and on the hub; healed, everything is as before."""

import time

from kubeslice.kube import objects
from kubeslice.lab import commands
from kubeslice.model import names
from kubeslice.model.resources import SLICECONFIGS, SLICEGATEWAYS
from kubeslice.stage import application, places, slices
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
        assert objects.status(config)["tunnels"] == "4/6"
        message = (objects.condition(config, "Ready") or {})["message"]
        assert "4 of 6 tunnels up" in message
        assert "worker-1" in message
        shown = await world.kubeslice("slice", "status", "red")
        assert shown.status == 1
        assert b"4/6" in shown.stdout
        # What is not cut goes on.
        client = await world.place(world.red, "worker-1")
        assert (await application.ask(client, f"http://{world.red.host}/")).status == 0
    finally:
        commands.heal(name=places.lab())
    async with world.converging("healing of a link"):
        pass
    far, near = await world.place(world.red, "worker-3"), await world.place(world.red, "worker-1")
    echo = await near.run("ping", "-n", "-c", "1", "-W", "2", far.address)
    assert echo.status == 0, echo.stdout


async def _down(world: World, local: str, remote: str) -> Object | None:
    name = names.slice_gateway(world.red.slice_name, local, remote)
    found = await world.api(local).get(SLICEGATEWAYS, name, names.WORKER_NAMESPACE)
    (plane,) = objects.status(found)["planes"]
    is_told = plane["state"] == "DOWN" and not objects.is_true(found, "Ready")
    return found if is_told else None


async def _not_ready(world: World) -> Object | None:
    found = await world.hub.get(SLICECONFIGS, world.red.slice_name, slices.NAMESPACE)
    return None if objects.is_true(found, "Ready") or objects.status(found)["tunnels"] != "4/6" else found
