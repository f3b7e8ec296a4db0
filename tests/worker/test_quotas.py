"""Limits of a slice in a cluster: ResourceQuotas that come, are put back and go, and exports that are too many."""

from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.model import names, resources
from tests.worker.clusters import CLUSTER, OWN_ON_HUB, eventually
from tests.worker.stage import Stage

pytestmark = pytest.mark.api

QUOTA = names.resource_quota("red")


def limits(pods: str, exports: int) -> dict[str, Any]:
    return {"exportedServices": exports, "namespaces": [{"namespace": "shop", "hard": {"pods": pods}}]}


async def hard(stage: Stage) -> Any:
    found = await stage.own_object(resources.RESOURCEQUOTAS, QUOTA, "shop")
    return found and objects.spec(found)["hard"]


def limited(stage: Stage, expected: Any) -> Any:
    async def holds() -> bool:
        return bool(await hard(stage) == expected)

    return eventually(holds)


async def export(stage: Stage, name: str) -> None:
    spec = {"slice": "red", "selector": {}, "ports": [{"name": "http", "containerPort": 80}]}
    metadata = {"name": name, "namespace": "shop"}
    await stage.own.create(resources.SERVICEEXPORTS, {"metadata": metadata, "spec": spec})


def reason(stage: Stage, name: str, expected: str) -> Any:
    async def holds() -> Any:
        seen = await stage.own_object(resources.SERVICEEXPORTS, name, "shop")
        ready = objects.condition(seen, "Ready") or {}
        return ready.get("reason") == expected and ready

    return eventually(holds)


async def test_a_limited_namespace_has_a_quota_for_as_long_as_it_is_on_the_slice(stage: Stage) -> None:
    await stage.start()
    await stage.slice(resourceQuota=limits("7", 2))
    await limited(stage, {"pods": "7"})
    made = await stage.own_object(resources.RESOURCEQUOTAS, QUOTA, "shop")
    assert objects.labels(made) == {names.MANAGED_BY_LABEL: names.WORKER_MANAGER, names.SLICE_LABEL: "red"}
    loosened: Any = {"spec": {"hard": {"pods": "70"}}}
    await stage.own.patch(resources.RESOURCEQUOTAS, QUOTA, "shop", loosened)
    await limited(stage, {"pods": "7"})
    counted: Any = {"status": {"hard": {"pods": "7"}, "used": {"pods": "3"}}}
    await stage.own.patch(resources.RESOURCEQUOTAS, QUOTA, "shop", counted, subresource="status")

    async def told() -> Any:
        config = await stage.hub_object(resources.WORKERSLICECONFIGS, f"red-{CLUSTER}")
        use = (objects.status(config).get("resourceQuota") or {}).get("namespaces") or [{}]
        return use[0].get("used") == {"pods": "3"} and use[0]

    assert (await eventually(told))["hard"] == {"pods": "7"}
    await stage.slice(resourceQuota=limits("9", 2))
    await limited(stage, {"pods": "9"})
    await stage.slice(namespaceIsolationProfile={"applicationNamespaces": []}, resourceQuota=limits("9", 2))
    await limited(stage, None)


async def test_limits_outlive_an_operator_that_cannot_ask_the_hub_and_go_with_the_slice(stage: Stage) -> None:
    await stage.start()
    await stage.slice(resourceQuota=limits("7", 2))
    await limited(stage, {"pods": "7"})
    await stage.stop()
    await stage.own.delete(resources.RESOURCEQUOTAS, QUOTA, "shop")
    await stage.start()
    await limited(stage, {"pods": "7"})
    await stage.hub.delete(resources.WORKERSLICECONFIGS, f"red-{CLUSTER}", OWN_ON_HUB)
    await limited(stage, None)

    async def gone() -> bool:
        return await stage.own_object(resources.SLICES, "red") is None

    await eventually(gone)


async def test_who_exports_first_keeps_the_place_and_the_next_one_moves_up(stage: Stage) -> None:
    await stage.start()
    await stage.slice(resourceQuota=limits("7", 1))
    await limited(stage, {"pods": "7"})
    await export(stage, "web")
    await reason(stage, "web", "NoEndpoints")
    await export(stage, "api")
    refused = await reason(stage, "api", "QuotaExceeded")
    assert "exportedServices is 1 for this cluster on slice red" in refused["message"]
    assert await stage.hub_object(resources.SERVICEEXPORTCONFIGS, f"api-shop-{CLUSTER}") is None
    await reason(stage, "web", "NoEndpoints")
    await stage.own.delete(resources.SERVICEEXPORTS, "web", "shop")
    await reason(stage, "api", "NoEndpoints")
