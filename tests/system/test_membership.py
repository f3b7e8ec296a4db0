"""Clusters, namespaces and slices come and go; whoever stays does not notice."""

import time
from collections.abc import Iterable

from kubeslice.demo import inventory
from kubeslice.kube import objects, waiting
from kubeslice.kube.errors import NotFound
from kubeslice.model import names
from kubeslice.model.resources import DEPLOYMENTS, NAMESPACES, PODS, SLICECONFIGS, WORKERSLICECONFIGS
from kubeslice.stage import application, processes, scenario, slices
from kubeslice.stage.application import Place
from tests.system import pods
from tests.system.traffic import traffic
from tests.system.world import Figure, World, eventually


async def addresses(world: World, clusters: Iterable[str]) -> dict[str, str]:
    """Return the address of every application pod of red in some clusters."""
    return {
        f"{cluster}/{objects.name(pod)}": objects.labels(pod).get(names.OVERLAY_ADDRESS_LABEL, "")
        for cluster in clusters
        for pod in (await world.api(cluster).list(PODS, world.red.namespace)).items
    }


async def octets(world: World) -> dict[str, int]:
    """Return which part of red each cluster has."""
    config = await world.hub.get(SLICECONFIGS, "red", slices.NAMESPACE)
    return {member["cluster"]: member["octet"] for member in objects.status(config)["members"]}


async def set_members(world: World, clusters: Iterable[str]) -> None:
    """Change the members of red as a user does."""
    members = list(clusters)
    profile = {"applicationNamespaces": [{"namespace": world.red.namespace, "clusters": members}]}
    patch = {"spec": {"clusters": members, "namespaceIsolationProfile": profile}}
    await world.hub.patch(SLICECONFIGS, "red", slices.NAMESPACE, patch)


async def test_a_cluster_leaves_and_comes_back(world: World) -> None:
    red = world.red
    stay, leaver = red.clusters[:2], red.clusters[2]
    before, parts = await addresses(world, stay), await octets(world)
    client, server = await world.place(red, red.client), await world.place(red, red.server, "web")
    left_behind = await world.place(red, leaver)
    async with traffic(client, server.address, red.host) as asking:
        started = time.monotonic()
        await set_members(world, stay)
        await eventually(lambda: _nothing_in(world, leaver), f"nothing of red in {leaver}")
        await pods.leaves_slice(left_behind)
        world.figures.append(Figure("a cluster left its slice", time.monotonic() - started))
        config = await slices.ready(world.stage, red)
        assert objects.status(config)["tunnels"] == "4/4"
        async with world.converging("a cluster joined again"):
            await set_members(world, red.clusters)
        await asking.caught_up()
        assert not asking.lost("address", started), "who stays must not notice"
        assert not asking.lost("name", started)
        assert not asking.lost("flow", started)
    assert await octets(world) == parts
    assert await addresses(world, stay) == before
    assert await pods.has_ks0(left_behind), "the pod that ran all the time is wired in place"


async def _nothing_in(world: World, cluster: str) -> bool:
    left = [item for item in await inventory.of_slice(world.stage, "red") if item.startswith(f"{cluster}:")]
    gone = await world.hub.list(WORKERSLICECONFIGS, names.cluster_namespace("demo", cluster))
    nodes = world.stage.cluster(cluster).nodes
    kernel = [item for item in await inventory.of_nodes(world.stage) if item.startswith(nodes[0].name)]
    return not left and not gone.items and not any("namespace kubeslice-" in item for item in kernel)


async def test_a_slice_is_deleted_while_the_hub_restarts(world: World) -> None:
    blue = world.blue
    client = await world.place(blue, blue.client)
    before = await inventory.of_nodes(world.stage)
    hub = next(one for one in await processes.of_pods(world.stage) if one.kind == "hub")
    processes.kill(hub)
    started = time.monotonic()
    await slices.delete(world.stage, blue)
    assert await inventory.of_slice(world.stage, "blue") == []
    await pods.leaves_slice(client)
    left = await inventory.of_nodes(world.stage)
    assert any("namespace kubeslice-" in item for item in before - left)
    assert not left - before
    world.figures.append(Figure("a slice deleted while the hub restarted", time.monotonic() - started))
    async with world.converging("a slice made again"):
        await slices.apply(world.stage, blue)
        await slices.export(world.stage, blue)


async def test_a_namespace_leaves_the_slice_and_comes_back(world: World) -> None:
    red = world.red
    clients = [await world.place(red, cluster) for cluster in red.clusters]
    try:
        await _set_namespaces(world, [])
        for client in clients:
            await pods.leaves_slice(client)
        found = await world.api("worker-1").get(NAMESPACES, red.namespace)
        assert names.SLICE_LABEL not in objects.labels(found)
    finally:
        async with world.converging("a namespace onboarded again, with its pods running"):
            await _set_namespaces(world, [{"namespace": red.namespace, "clusters": ["*"]}])
    assert [one.target for one in clients] == [(await world.place(red, cluster)).target for cluster in red.clusters]
    for client in clients:
        assert await pods.has_ks0(client)


async def _set_namespaces(world: World, entries: list[dict[str, object]]) -> None:
    patch = {"spec": {"namespaceIsolationProfile": {"applicationNamespaces": entries}}}
    await world.hub.patch(SLICECONFIGS, "red", slices.NAMESPACE, patch)


async def test_a_deleted_application_namespace_is_made_anew_and_nobody_else_suffers(world: World) -> None:
    red, cluster = world.red, world.red.clusters[-1]
    api, client = world.api(cluster), await world.place(red, red.client)
    uid = objects.uid(await api.get(NAMESPACES, red.namespace))
    await api.delete(NAMESPACES, red.namespace)

    async def is_another() -> bool:
        try:
            return objects.uid(await api.get(NAMESPACES, red.namespace)) != uid
        except NotFound:
            return False

    await eventually(is_another, "a new namespace")
    assert await _works(client, red.host)
    async with world.converging("an application namespace deleted and filled again"):
        await api.apply(DEPLOYMENTS, scenario.client(red), manager="test")
        await waiting.until(api, DEPLOYMENTS, "client", red.namespace, _is_ready, timeout=30, what="ready")


async def _works(client: Place, host: str) -> bool:
    return (await application.ask(client, f"http://{host}/")).status == 0


def _is_ready(obj: dict[str, object] | None) -> bool:
    return obj is not None and objects.status(obj).get("readyReplicas") == 1
