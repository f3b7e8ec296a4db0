"""Objects deleted or changed behind the controllers' backs are as before a moment later, and requests go on."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.kube.errors import NotFound
from kubeslice.model import names
from kubeslice.model.resources import (
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    ROLEBINDINGS,
    ROLES,
    SECRETS,
    SERVICEIMPORTS,
    SERVICES,
    SLICEGATEWAYS,
    SLICES,
    WORKERSERVICEIMPORTS,
    WORKERSLICECONFIGS,
    WORKERSLICEGATEWAYS,
    Resource,
)
from tests.system.world import Object, World, eventually

SYSTEM = names.WORKER_NAMESPACE
ON_HUB = "kubeslice-demo-worker-1"
GATEWAY, ROUTER = names.gateway_deployment("red", 0), names.router_deployment("red", 0)


@dataclass(frozen=True)
class Thing:
    """An object that somebody must not touch."""

    cluster: str
    resource: Resource
    name: str
    namespace: str

    def __str__(self) -> str:
        """Name it for people."""
        return f"{self.resource.kind} {self.name} ({self.cluster})"


THINGS = (
    Thing("worker-1", DEPLOYMENTS, GATEWAY, SYSTEM),
    Thing("worker-2", DEPLOYMENTS, ROUTER, SYSTEM),
    Thing("worker-2", SERVICES, GATEWAY, SYSTEM),
    Thing("worker-1", SLICES, "red", SYSTEM),
    Thing("worker-2", SLICEGATEWAYS, "red-worker-2-worker-1", SYSTEM),
    Thing("worker-1", SERVICEIMPORTS, "web", "shop"),
    Thing("hub", WORKERSLICECONFIGS, "red-worker-1", ON_HUB),
    Thing("hub", WORKERSLICEGATEWAYS, "red-worker-1-worker-2", ON_HUB),
    Thing("hub", WORKERSERVICEIMPORTS, "web-shop-red-worker-1", ON_HUB),
    Thing("hub", ROLES, names.worker_account("worker-1"), ON_HUB),
    Thing("hub", ROLEBINDINGS, names.worker_account("worker-1"), ON_HUB),
)


@pytest.mark.parametrize("thing", THINGS, ids=str)
async def test_a_deleted_object_comes_back(world: World, thing: Thing) -> None:
    before = await get(world, thing)
    async with world.converging(f"deleted {thing}"):
        await delete(world, thing)
        after = await eventually(lambda: _successor(world, thing, before), f"another {thing}")
        await eventually(lambda: _is_same(world, thing, before), f"the same {thing}, not {essence(after)}", 20)


async def delete(world: World, thing: Thing) -> None:
    """Delete with kubectl, as somebody does by mistake."""
    kind = f"{thing.resource.plural}.{thing.resource.group}".rstrip(".")
    gone = await world.kubectl(thing.cluster, "-n", thing.namespace, "delete", kind, thing.name, "--wait=false")
    assert gone.status == 0, gone.stderr


async def get(world: World, thing: Thing) -> Object:
    """Read the object."""
    return await world.api(thing.cluster).get(thing.resource, thing.name, thing.namespace)


async def _successor(world: World, thing: Thing, before: Object) -> Object | None:
    try:
        found = await get(world, thing)
    except NotFound:
        return None
    return found if objects.uid(found) != objects.uid(before) else None


async def _is_same(world: World, thing: Thing, before: Object) -> bool:
    try:
        return essence(await get(world, thing)) == essence(before)
    except NotFound:
        return False


def essence(obj: Object) -> Object:
    """Return what makes an object what it is: no bookkeeping, and nothing that Kubernetes chooses anew."""
    kept = {key: value for key, value in obj.items() if key in {"spec", "rules", "subjects", "roleRef"}}
    kept |= {"labels": objects.labels(obj), "finalizers": objects.finalizers(obj)}
    return dict(json.loads(json.dumps(kept), object_hook=_without_chance))


def _without_chance(part: Object) -> Object:
    # A Service made again gets other addresses and ports, which the other clusters then learn as endpoints.
    chosen = {"clusterIP", "clusterIPs", "nodePort", "endpoints"}
    return {key: value for key, value in part.items() if key not in chosen}


async def test_a_deleted_key_is_made_anew_and_told_to_the_other_clusters(world: World) -> None:
    thing = Thing("worker-2", SECRETS, GATEWAY, SYSTEM)
    before = await get(world, thing)
    async with world.converging("deleted key of a gateway"):
        await delete(world, thing)
        after = await eventually(lambda: _successor(world, thing, before), "another key")
        old, new = (base64.b64decode(secret["data"]["publicKey-1"]).decode() for secret in (before, after))
        assert old != new
        peer = Thing("worker-1", SLICEGATEWAYS, "red-worker-1-worker-2", SYSTEM)
        await eventually(lambda: _knows(world, peer, new), "the new key in the other cluster")


async def _knows(world: World, peer: Thing, key: str) -> bool:
    planes = (await get(world, peer))["spec"].get("planes") or []
    return key in [str(plane["publicKey"]) for plane in planes]


async def test_the_labels_of_a_namespace_come_back(world: World) -> None:
    thing = Thing("worker-1", NAMESPACES, "shop", "")
    addresses = await _addresses(world)
    async with world.converging("labels taken from a namespace"):
        taken = [f"{names.SLICE_LABEL}-", f"{names.INJECT_LABEL}-"]
        assert (await world.kubectl("worker-1", "label", "namespace", "shop", *taken)).status == 0
        await eventually(lambda: _has_labels(world, thing), "the labels")
    assert await _addresses(world) == addresses


async def _has_labels(world: World, thing: Thing) -> bool:
    found = objects.labels(await world.api(thing.cluster).get(NAMESPACES, thing.name))
    return found.get(names.SLICE_LABEL) == "red" and found.get(names.INJECT_LABEL) == "true"


async def _addresses(world: World) -> dict[str, str]:
    found = (await world.api("worker-1").list(PODS, "shop")).items
    return {objects.name(pod): objects.labels(pod)[names.OVERLAY_ADDRESS_LABEL] for pod in found}


def _router_image(body: Any) -> None:
    body["spec"]["replicas"] = 3
    body["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "blue"


def _service_ports(body: Any) -> None:
    body["spec"]["ports"][0]["targetPort"] = 1


def _other_subnet(body: Any) -> None:
    body["spec"]["remoteSubnet"] = "10.99.0.0/18"


CHANGES: tuple[tuple[Thing, Callable[[Any], None]], ...] = (
    (Thing("worker-1", DEPLOYMENTS, ROUTER, SYSTEM), _router_image),
    (Thing("worker-2", SERVICES, GATEWAY, SYSTEM), _service_ports),
    (Thing("worker-2", SLICEGATEWAYS, "red-worker-2-worker-3", SYSTEM), _other_subnet),
)


@pytest.mark.parametrize(("thing", "change"), CHANGES, ids=str)
async def test_a_changed_object_is_changed_back(world: World, thing: Thing, change: Callable[[Any], None]) -> None:
    before = await get(world, thing)
    body = json.loads(json.dumps(before))
    change(body)
    async with world.converging(f"changed {thing}"):
        replaced = await world.kubectl(thing.cluster, "replace", "-f", "-", stdin=json.dumps(body))
        assert replaced.status == 0, replaced.stderr
        await eventually(lambda: _is_same(world, thing, before), f"the {thing} that was")
