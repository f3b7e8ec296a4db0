"""A hub that was restored from an old backup does not know what is newer: it goes on here for a while."""

import base64
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.model import names, resources
from tests.worker.clusters import CLUSTER, OWN_ON_HUB, SYSTEM, eventually
from tests.worker.stage import Stage

pytestmark = pytest.mark.api

PAIR = f"red-{CLUSTER}-worker-1"
KEY = base64.b64encode(b"k" * 32).decode()
ON_HUB = (
    (resources.WORKERSLICECONFIGS, f"red-{CLUSTER}"),
    (resources.WORKERSLICEGATEWAYS, PAIR),
    (resources.WORKERSERVICEIMPORTS, names.worker_service_import("web", "shop", "red", CLUSTER)),
)


async def connected(stage: Stage) -> None:
    """Bring up a slice with a pair of clusters, their pre-shared key and an imported service."""
    entry = base64.b64encode(KEY.encode()).decode()
    secret = {"metadata": {"name": PAIR, "namespace": OWN_ON_HUB}, "data": {names.pre_shared_key(0, 1): entry}}
    await stage.hub.create(resources.SECRETS, secret)
    await stage.slice()
    await stage.gateway()
    named = {"spec": {"gatewayCredentials": {"secretName": PAIR}}}
    await stage.hub.patch(resources.WORKERSLICEGATEWAYS, PAIR, OWN_ON_HUB, named)
    await stage.offer("red", "shop", ("web-1", "worker-1", "10.1.0.70"))
    await eventually(lambda: is_whole(stage))


async def is_whole(stage: Stage) -> bool:
    gateway = await stage.own_object(resources.SLICEGATEWAYS, PAIR)
    secret = await stage.own_object(resources.SECRETS, names.gateway_deployment("red", 0))
    imported = await stage.own_object(resources.SERVICEIMPORTS, "web", "shop")
    has_key = "psk-worker-1-1" in ((secret or {}).get("data") or {})
    return bool(imported and has_key and gateway and objects.spec(gateway).get("planes"))


async def held(stage: Stage) -> bool:
    """Tell whether the operator holds everything of the slice on the hub."""
    found = [await stage.hub_object(resource, name) for resource, name in ON_HUB]
    return all(obj and objects.finalizers(obj) for obj in found)


async def forget(stage: Stage) -> None:
    """Play a restore: what was there is gone, and nobody deleted it."""
    await eventually(partial(held, stage))
    for resource, name in ON_HUB:
        none: dict[str, Any] = {"metadata": {"finalizers": []}}
        await stage.hub.patch(resource, name, OWN_ON_HUB, none)
    for resource, name in ON_HUB:
        await stage.hub.delete(resource, name, OWN_ON_HUB)


async def known(stage: Stage) -> dict[str, Any]:
    found = await stage.own_object(resources.SLICES, "red")
    return objects.condition(found, "KnownToHub") or {}


async def says(stage: Stage, reason: str) -> bool:
    return (await known(stage)).get("reason") == reason


async def restored(stage: Stage, seconds: float) -> Stage:
    """Return the stage with another patience, after the hub has forgotten the slice while no operator ran."""
    await stage.start()
    await connected(stage)
    await eventually(partial(held, stage))
    await stage.stop()
    await forget(stage)
    after = replace(stage, settings=replace(stage.settings, keep_forgotten=seconds))
    await after.start()
    return after


async def test_a_slice_that_the_hub_has_forgotten_goes_on_and_is_taken_up_again(stage: Stage) -> None:
    after = await restored(stage, 60.0)
    await eventually(partial(says, after, "Forgotten"))
    assert "apply its SliceConfig again" in (await known(after))["message"]
    assert await is_whole(after)
    assert not (await after.own.list(resources.SLICES, SYSTEM)).items[0]["metadata"].get("deletionTimestamp")
    await after.slice()
    await eventually(partial(says, after, "Known"))
    assert await is_whole(after)
    await after.stop()


async def test_a_slice_that_stays_forgotten_goes_in_the_end(stage: Stage) -> None:
    after = await restored(stage, 1.0)

    async def is_gone() -> bool:
        kinds = ((resources.SLICES, "red"), (resources.SLICEGATEWAYS, PAIR))
        return not any([await after.own_object(resource, name) for resource, name in kinds])

    await eventually(is_gone)
    await after.stop()


async def test_who_deletes_the_slice_need_not_wait(stage: Stage) -> None:
    after = await restored(stage, 60.0)
    await eventually(partial(says, after, "Forgotten"))
    await after.own.delete(resources.SLICES, "red", SYSTEM)

    async def is_gone() -> bool:
        return await after.own_object(resources.SLICES, "red") is None

    await eventually(is_gone)
    await after.stop()
