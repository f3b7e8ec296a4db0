"""Pods that tests make in an application namespace, and what is on the node behind them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address

from kubeslice.kube import objects, waiting
from kubeslice.kube.errors import NotFound
from kubeslice.model import names
from kubeslice.model.resources import PODS, SLICES
from kubeslice.stage import places
from kubeslice.stage.application import PATIENCE, Place
from kubeslice.stage.scenario import CLIENT_IMAGE, Tenant
from tests.system.world import Object, World, eventually


def body(tenant: Tenant, name: str, node: str = "") -> Object:
    """Return a pod that only sleeps, on a node if one is named."""
    spec: Object = {
        "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "main", "image": CLIENT_IMAGE, "command": ["sleep", "infinity"]}],
    }
    if node:
        spec["nodeSelector"] = {"kubernetes.io/hostname": node}
    return {"metadata": {"name": name, "namespace": tenant.namespace}, "spec": spec}


@asynccontextmanager
async def pod(world: World, tenant: Tenant, cluster: str, name: str, node: str = "") -> AsyncIterator[Place]:
    """Run a pod of a tenant for as long as the body."""
    await world.api(cluster).create(PODS, body(tenant, name, node))
    try:
        yield await running(world, tenant, cluster, name)
    finally:
        await remove(world, tenant, cluster, name)


async def running(world: World, tenant: Tenant, cluster: str, name: str) -> Place:
    """Wait until a pod runs and is on its slice."""

    def is_ready(obj: Object | None) -> bool:
        return obj is not None and names.OVERLAY_ADDRESS_LABEL in objects.labels(obj) and objects.is_true(obj, "Ready")

    api = world.api(cluster)
    found = await waiting.until(api, PODS, name, tenant.namespace, is_ready, timeout=PATIENCE, what="ready, on a slice")
    assert found is not None
    address = objects.labels(found)[names.OVERLAY_ADDRESS_LABEL]
    return Place(f"{cluster}/{tenant.namespace}/{name}", address, str(found["spec"]["nodeName"]))


async def remove(world: World, tenant: Tenant, cluster: str, name: str) -> None:
    """Delete a pod and wait until it is gone."""
    try:
        await world.api(cluster).delete(PODS, name, tenant.namespace)
    except NotFound:
        return
    await gone(world, tenant, cluster, name)


async def gone(world: World, tenant: Tenant, cluster: str, name: str) -> None:
    """Wait until there is no such pod."""
    api = world.api(cluster)
    await waiting.until(api, PODS, name, tenant.namespace, lambda obj: obj is None, timeout=PATIENCE, what="gone")


async def segment(world: World, tenant: Tenant, cluster: str) -> str:
    """Return the network namespace that holds a tenant's segment on the nodes of a cluster."""
    found = await world.api(cluster).get(SLICES, tenant.slice_name, names.WORKER_NAMESPACE)
    return names.segment_namespace(int(found["spec"]["vni"]))


async def ports(world: World, tenant: Tenant, node: str) -> set[IPv4Address]:
    """Return the addresses that have a port of the tenant's segment on a node."""
    cluster = node.rpartition("-node-")[0]
    inside = ["ip", "netns", "exec", await segment(world, tenant, cluster)]
    shown = await places.run(node, [*inside, "ip", "-j", "link", "show"])
    aliases = [entry.get("ifalias", "") for entry in json.loads(shown.stdout or b"[]")]
    return {IPv4Address(alias.rpartition(":")[2].split(",")[0]) for alias in aliases if alias.startswith("kubeslice:")}


async def has_ks0(place: Place) -> bool:
    """Tell whether a pod has its slice's interface."""
    return (await place.run("ip", "link", "show", names.OVERLAY_INTERFACE)).status == 0


async def leaves_slice(place: Place) -> None:
    """Wait until a running pod has lost its slice's interface."""

    async def has_none() -> bool:
        return not await has_ks0(place)

    await eventually(has_none, f"{place.target} without {names.OVERLAY_INTERFACE}")
