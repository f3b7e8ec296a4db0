"""Topologies and relays with real packets: who reaches whom, through whom, and that others do not notice."""

import asyncio
import time
from typing import Any

from kubeslice.kube import objects
from kubeslice.lab import commands
from kubeslice.model import names
from kubeslice.model.resources import SLICECONFIGS, SLICEGATEWAYS
from kubeslice.stage import places, slices
from kubeslice.stage.application import Place
from tests.system.traffic import traffic
from tests.system.world import Figure, Object, World, eventually

RELAYED = 30.0  # ten seconds until the pair is given up, and what a busy machine takes
RESTORED = 80.0


async def set_topology(world: World, wanted: Any) -> None:
    """Change the topology of red as a user does; None takes it out."""
    change = {"op": "add", "value": wanted} if wanted else {"op": "remove"}
    steps = [{"path": "/spec/topology", **change}]
    await world.hub.patch(SLICECONFIGS, world.red.slice_name, slices.NAMESPACE, steps)


async def reaches(near: Place, far: Place) -> bool:
    """Send one echo request through the slice."""
    return (await near.run("ping", "-n", "-c", "1", "-W", "1", far.address)).status == 0


async def is_unreachable(near: Place, far: Place) -> bool:
    return not await reaches(near, far)


async def gateways(world: World) -> set[str]:
    """Return the name of every SliceGateway of red."""
    found = [await world.api(cluster).list(SLICEGATEWAYS, names.WORKER_NAMESPACE) for cluster in world.red.clusters]
    return {objects.name(obj) for listing in found for obj in listing.items if objects.name(obj).startswith("red-")}


async def is_connected_as(world: World, *pairs: tuple[str, str]) -> bool:
    wanted = {f"red-{one}-{other}" for pair in pairs for one, other in (pair, pair[::-1])}
    return await gateways(world) == wanted


async def red(world: World) -> Object:
    return await world.hub.get(SLICECONFIGS, world.red.slice_name, slices.NAMESPACE)


async def test_spokes_meet_through_the_hub_or_not_at_all(world: World) -> None:
    one, hub, other = world.red.clusters
    near, far = await world.place(world.red, one), await world.place(world.red, other)
    server = await world.place(world.red, hub, "web")
    async with traffic(near, server.address, world.red.host) as asking:
        started = time.monotonic()
        try:
            await set_topology(world, {"mode": "HubAndSpoke", "hubs": [hub]})
            await eventually(lambda: is_connected_as(world, (one, hub), (hub, other)), "only pairs with the hub")
            await eventually(lambda: reaches(near, far), "a spoke through the hub")
            world.figures.append(Figure("spokes meet through the hub", time.monotonic() - started))
            commands.cut(one, other, places.lab())
            assert await reaches(near, far), "what is between the spokes does not matter"
            config = await slices.ready(world.stage, world.red)
            assert objects.status(config)["topology"] == {"mode": "HubAndSpoke", "edgesWanted": 2, "edgesReady": 2}
            commands.heal(name=places.lab())
            await set_topology(world, {"mode": "HubAndSpoke", "hubs": [hub], "spokeToSpoke": False})
            await eventually(lambda: is_unreachable(near, far), "spokes kept apart")
            await asyncio.sleep(1)
            assert await is_unreachable(near, far)
            pairs = [{"clusters": [hub, one]}]
            await set_topology(world, {"mode": "Restricted", "pairs": pairs})
            await eventually(lambda: is_connected_as(world, (one, hub)), "the listed pair only")
            await eventually(lambda: _is_cut_off(world, other), "a warning about who is cut off")
            assert await is_unreachable(near, far)
        finally:
            commands.heal(name=places.lab())
            async with world.converging("back to the full mesh"):
                await set_topology(world, None)
        await asking.caught_up()
        for kind in ("address", "name", "flow"):
            assert not asking.lost(kind, started), "who stays connected must not notice"


async def test_two_clusters_behind_nat_meet_through_the_third(world: World) -> None:
    one, relay, other = world.red.clusters
    near, far = await world.place(world.red, one), await world.place(world.red, other)
    started = time.monotonic()
    try:
        for cluster in (one, other):
            commands.nat(cluster, places.lab())
            commands.forget(cluster, places.lab())
        await eventually(lambda: _is_relayed(world, one, other, relay), "a relay", RELAYED)
        await eventually(lambda: reaches(near, far), "traffic through the relay")
        world.figures.append(Figure("two clusters behind NAT meet through a third", time.monotonic() - started))
        config = await red(world)
        degraded = objects.condition(config, "Degraded")
        assert degraded is not None
        assert f"{one} and {other} through {relay}" in degraded["message"]
        await eventually(lambda: _is_ready(world), "Ready with a relay")
        shown = await world.kubeslice("slice", "status", "red")
        assert f"{one} and {other} through {relay}" in " ".join(shown.stdout.decode().split())
    finally:
        started = time.monotonic()
        for cluster in (one, other):
            commands.nat(cluster, places.lab(), on=False)
    # The direct way has to be good for half a minute, unless what carries them fails: then it is taken at once.
    try:
        await eventually(lambda: _is_up(world, one, other), "the direct tunnels")
        assert not await _is_direct(world)
        commands.cut(one, relay, places.lab())
        await eventually(lambda: _is_direct(world), "no relay any more")
        await eventually(lambda: reaches(near, far), "the direct way")
        world.figures.append(Figure("no NAT any more, and no relay either", time.monotonic() - started))
    finally:
        async with world.converging("healing of what carried", RESTORED):
            commands.heal(name=places.lab())


async def _is_cut_off(world: World, cluster: str) -> bool:
    degraded = objects.condition(await red(world), "Degraded")
    return bool(degraded and degraded["reason"] == "ClusterCutOff" and cluster in degraded["message"])


async def _is_relayed(world: World, one: str, other: str, relay: str) -> bool:
    relays = objects.status(await red(world))["topology"].get("relays") or []
    return {"clusters": [one, other], "via": relay} in relays


async def _is_direct(world: World) -> bool:
    return not objects.status(await red(world))["topology"].get("relays")


async def _is_up(world: World, one: str, other: str) -> bool:
    """Tell whether both ends of a pair say that their tunnels are up."""
    sides = [(one, other), (other, one)]
    found = [
        await world.api(local).get(SLICEGATEWAYS, names.slice_gateway("red", local, remote), names.WORKER_NAMESPACE)
        for local, remote in sides
    ]
    return all(plane["state"] == "UP" for obj in found for plane in objects.status(obj)["planes"])


async def _is_ready(world: World) -> bool:
    return objects.is_true(await red(world), "Ready")
