"""What somebody breaks on a node by hand is mended at once, and requests go on."""

import json

import pytest

from kubeslice.kube import objects
from kubeslice.model import names
from kubeslice.model.resources import PODS
from kubeslice.stage import places, processes
from kubeslice.stage.application import Place
from tests.system import pods
from tests.system.world import World, eventually

Shown = dict[str, frozenset[str]]


async def client_of(world: World) -> Place:
    """Return red's client in worker-1."""
    return await world.place(world.red, "worker-1")


async def on_node(world: World, *command: str) -> str:
    """Run a program in the segment of red, on the node of its client."""
    client = await client_of(world)
    inside = ["ip", "netns", "exec", await pods.segment(world, world.red, "worker-1"), *command]
    return (await places.run(client.node, inside)).stdout.decode()


async def port(world: World) -> str:
    """Return the name of the client's port on its node."""
    name = (await client_of(world)).target.rpartition("/")[2]
    return names.port(objects.uid(await world.api("worker-1").get(PODS, name, world.red.namespace)))


async def shown(world: World) -> Shown:
    """Return the segment as its node's kernel has it, without what a link made anew has otherwise."""
    links = json.loads(await on_node(world, "ip", "-j", "-d", "link", "show") or "[]")
    rules = (await on_node(world, "nft", "list", "ruleset")).splitlines()
    entries = json.loads(await on_node(world, "bridge", "-j", "fdb", "show") or "[]")
    return {
        "links": frozenset(f"{link['ifname']} {link.get('ifalias')} {link.get('mtu')}" for link in links),
        "rules": frozenset(line.partition(" packets ")[0] for line in rules),
        "entries": frozenset(f"{one['mac']} {one['ifname']} {one.get('dst')}" for one in entries if "dst" in one),
    }


DAMAGE = {
    "the pod's interface": "pod ip link del ks0",
    "the pod's address": "pod ip addr flush dev ks0",
    "the pod's route": "pod ip route del 10.11.0.0/16",
    "the pod's port": "segment ip link del {port}",
    "the port's place on the bridge": "segment ip link set {port} nomaster",
    "the VXLAN device": "segment ip link del vx0",
    "the bridge": "segment ip link del br0",
    "the filter": "segment nft delete table bridge kubeslice",
    "the node's filter": "node nft delete table inet kubeslice",
    "the whole segment": "node ip netns del {segment}",
}


@pytest.mark.parametrize("what", DAMAGE)
async def test_damage_on_a_node_is_mended(world: World, what: str) -> None:
    client, before = await client_of(world), await shown(world)
    segment = await pods.segment(world, world.red, "worker-1")
    where, *command = DAMAGE[what].format(port=await port(world), segment=segment).split()
    async with world.converging(f"broken on a node: {what}"):
        if where == "segment":
            await on_node(world, *command)
        else:
            output = await places.run(client.target if where == "pod" else client.node, command)
            assert output.status == 0, output.stderr
        await eventually(lambda: _is_as(world, before), f"{what} as it was", 20)
    assert (await client_of(world)).address == client.address


async def _is_as(world: World, before: Shown) -> bool:
    return await shown(world) == before and await pods.has_ks0(await client_of(world))


async def test_an_agent_looks_after_the_pods_that_its_predecessor_attached(world: World) -> None:
    client = await client_of(world)
    found = await world.api("worker-1").list(PODS, names.WORKER_NAMESPACE, fields=f"spec.nodeName={client.node}")
    agent = next(objects.name(pod) for pod in found.items if "agent" in objects.name(pod))
    victim = next(one for one in await processes.of_pods(world.stage) if (one.home, one.kind) == (agent, "agent"))
    async with world.converging("killed an agent and broke a pod's interface"):
        processes.kill(victim)
        assert (await client.run("ip", "link", "del", "ks0")).status == 0
        await eventually(lambda: pods.has_ks0(client), "the interface", 20)
    async with world.converging("broke it again"):
        assert (await client.run("ip", "addr", "flush", "dev", "ks0")).status == 0
        await eventually(lambda: _has_address(client), "the address", 20)


async def _has_address(client: Place) -> bool:
    return client.address in (await client.run("ip", "addr", "show", "ks0")).stdout.decode()


@pytest.mark.parametrize("what", ["ip link del wg1", "ip route del 10.11.64.0/18", "nft delete table inet kubeslice"])
async def test_damage_in_a_gateway_is_mended(world: World, what: str) -> None:
    found = await world.api("worker-1").list(
        PODS, names.WORKER_NAMESPACE, labels=f"{names.POD_TYPE_LABEL}={names.GATEWAY_POD},{names.SLICE_LABEL}=red"
    )
    gateway = f"worker-1/{names.WORKER_NAMESPACE}/{objects.name(found.items[0])}"
    node = str(found.items[0]["spec"]["nodeName"])
    async with world.converging(f"broken in a gateway: {what}"):
        output = await places.run(gateway, what.split())
        assert output.status == 0, (node, output.stderr)
