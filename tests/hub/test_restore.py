"""A hub that is restored from a backup: other uids, no statuses, older keys. What runs goes on."""

from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.model.resources import Resource
from tests import keys as made_up
from tests.hub.stage import HEARTBEAT, Stage, Worker
from tests.hub.test_slices import running, views

pytestmark = pytest.mark.api

CLUSTERS = ("a", "b", "c")
LOST = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields")
KINDS = (r.SLICECONFIGS, r.VPNKEYROTATIONS, r.WORKERSLICECONFIGS, r.WORKERSLICEGATEWAYS)


async def backup(stage: Stage) -> list[tuple[Resource, Object]]:
    """Return what a backup of the project's objects holds: neither statuses nor what makes an object this one."""
    found = []
    for kind in KINDS:
        for obj in (await stage.admin.list(kind)).items:
            if f"{objects.namespace(obj)}-".startswith(f"{stage.home}-"):
                metadata = {key: value for key, value in obj["metadata"].items() if key not in LOST}
                found.append((kind, {"metadata": metadata, "spec": obj["spec"]}))
    return found


async def restore(stage: Stage, kept: list[tuple[Resource, Object]]) -> None:
    """Put the objects of a backup in the place of those that are there."""
    for kind, obj in kept:
        name, namespace = objects.name(obj), objects.namespace(obj)
        await stage.admin.patch(kind, name, namespace, {"metadata": {"finalizers": None}})
        await stage.admin.delete(kind, name, namespace)
        await stage.gone(kind, name, namespace)
        await stage.admin.create(kind, obj)


async def lose_pre_shared_keys(stage: Stage) -> None:
    for cluster in CLUSTERS:
        for obj in (await stage.admin.list(r.SECRETS, stage.namespace_of(cluster))).items:
            if names.REMOTE_CLUSTER_LABEL in objects.labels(obj):
                await stage.admin.delete(r.SECRETS, objects.name(obj), objects.namespace(obj))


async def publish_newer(worker: Worker) -> None:
    """Report what the gateways of a cluster really use: keys of the fifth generation."""
    gateways = [
        {
            "plane": plane,
            "generation": 5,
            "publicKey": made_up.key(f"{worker.cluster}-{plane}-5"),
            "endpoints": [f"198.51.100.7:{30101 + plane}"],
        }
        for plane in range(2)
    ]
    name = names.worker_slice_config("red", worker.cluster)
    ready = {"type": "Ready", "status": "True", "reason": "Up", "message": "", "lastTransitionTime": HEARTBEAT}
    await worker.report(r.WORKERSLICECONFIGS, name, gateways=gateways, conditions=[ready])


async def planes_told(stage: Stage) -> dict[tuple[str, str], list[tuple[int, int, str]]]:
    """Return what every member is told about the keys of every other."""
    return {
        pair: [(one["plane"], one["generation"], one["publicKey"]) for one in spec["remoteGatewayConfig"]["planes"]]
        for pair, spec in (await views(stage, *CLUSTERS)).items()
    }


async def places(stage: Stage) -> dict[str, tuple[str, int]]:
    found = [await stage.admin.get(r.WORKERSLICECONFIGS, f"red-{one}", stage.namespace_of(one)) for one in CLUSTERS]
    return {objects.name(obj): (objects.uid(obj), objects.spec(obj)["octet"]) for obj in found}


async def in_force(stage: Stage) -> list[Any]:
    rotation = await stage.admin.get(r.VPNKEYROTATIONS, "red", stage.home)
    return [plane["generations"] for plane in objects.status(rotation).get("planes") or []]


async def test_a_restored_hub_goes_on_with_what_runs(stage: Stage) -> None:
    workers = await running(stage, *CLUSTERS)
    octets = {name: octet for name, (_, octet) in (await places(stage)).items()}
    told = await planes_told(stage)
    kept = await backup(stage)
    await stage.stop_hub()
    await restore(stage, kept)
    await lose_pre_shared_keys(stage)
    # The order of the members is how octets are given out where none is known.
    await stage.admin.patch(r.SLICECONFIGS, "red", stage.home, {"spec": {"clusters": ["c", "b", "a"]}})
    restored = await places(stage)
    await stage.start_hub()
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Accepted", "True")
    await stage.until(lambda: in_force(stage))
    assert await planes_told(stage) == told, "nobody forgets a peer because its report was lost"
    for worker in workers.values():
        await publish_newer(worker)

    async def follows() -> bool:
        return await in_force(stage) in ([[5], [5]], [[1, 5], [1, 5]])

    await stage.until(follows)

    async def all_know() -> bool:
        now = await planes_told(stage)
        wanted = [(pair, (plane, 5, made_up.key(f"{pair[1]}-{plane}-5"))) for pair in now for plane in (0, 1)]
        return all(key in now[pair] for pair, key in wanted)

    await stage.until(all_know)
    assert await places(stage) == restored, "nobody moved and nothing was made anew"
    assert {name: octet for name, (_, octet) in restored.items()} == octets
    secret = await stage.admin.get(r.SECRETS, "red-a-b", stage.namespace_of("a"))
    assert {"psk-0-5", "psk-1-5"} <= secret["data"].keys()


async def test_a_silent_worker_changes_nothing_for_the_others(stage: Stage) -> None:
    workers = await running(stage, *CLUSTERS)
    before = await views(stage, *CLUSTERS), await places(stage), await in_force(stage)
    stage.clock.leap(14.5)
    for worker in (workers["a"], workers["b"]):
        await worker.beat("2026-01-01T00:00:10Z")
    await stage.admin.patch(r.CLUSTERS, "c", stage.home, {"spec": {"networkInterface": "eth1"}})
    await stage.condition(r.CLUSTERS, "c", stage.home, "Reachable", "False", "Silent")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "False", "not been heard of")
    assert (await views(stage, *CLUSTERS), await places(stage), await in_force(stage)) == before
