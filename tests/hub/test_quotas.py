"""The limits of a slice: what every cluster is told, what stays when they are broken, what is summed up."""

from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.model import resources as r
from tests.hub.stage import Stage

pytestmark = pytest.mark.api


async def limit(stage: Stage, **spec: Any) -> None:
    obj = {"metadata": {"name": "red", "namespace": stage.home}, "spec": spec}
    await stage.admin.apply(r.SLICERESOURCEQUOTAS, obj, manager="user")


async def test_limits_are_shared_out_and_use_is_summed_up(stage: Stage) -> None:
    await stage.make_project()
    workers = await stage.register("west", "east")
    profile = {"namespaceIsolationProfile": {"applicationNamespaces": [
        {"namespace": "shop", "clusters": ["*"]}, {"namespace": "pay", "clusters": ["west"]}]}}  # fmt: skip
    await limit(stage, sliceQuota={"requests": {"cpu": 4}, "pods": 10, "bandwidthCeilingKbps": 5000})
    await stage.condition(r.SLICERESOURCEQUOTAS, "red", stage.home, "Ready", "False", "WaitingForSlice")
    await stage.make_slice("red", "west", "east", **profile)
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Accepted", "True")
    await stage.condition(r.SLICERESOURCEQUOTAS, "red", stage.home, "Ready", "True", "limits: 3 in 2 clusters")
    idle = "sliceQuota.bandwidthCeilingKbps: lowers the profile"
    await stage.condition(r.SLICERESOURCEQUOTAS, "red", stage.home, "FullyEffective", "False", idle)

    west = objects.spec(await workers["west"].config("red"))
    assert west["resourceQuota"]["namespaces"] == [
        {"namespace": "pay", "hard": {"pods": "3", "requests.cpu": "1"}},
        {"namespace": "shop", "hard": {"pods": "2", "requests.cpu": "1"}},
    ]
    ceilings = west["qosProfileDetails"]
    assert (ceilings["bandwidthCeilingKbps"], ceilings["bandwidthGuaranteedKbps"]) == (5000, 5000)

    use = [{"namespace": "shop", "used": {"pods": "9", "requests.cpu": "500m"}, "exportedServices": 2}]
    await workers["east"].report(r.WORKERSLICECONFIGS, "red-east", resourceQuota={"namespaces": use})
    quota = await stage.condition(
        r.SLICERESOURCEQUOTAS, "red", stage.home, "WithinQuota", "False", "shop in east uses 9"
    )
    status = objects.status(quota)
    assert status["hard"] == {"bandwidthCeilingKbps": "5000", "pods": "10", "requests.cpu": "4"}
    assert status["used"] == {"exportedServices": "2", "pods": "9", "requests.cpu": "500m"}
    assert status["namespaces"][0]["namespace"] == "shop"
    assert status["namespaces"][0]["fairShare"] == ["pods", "requests.cpu"]
    assert status["fullest"] == "pods 180%"

    async def measured() -> bool:
        labels = {"slice_project": stage.project, "slice": "red", "resource": "pods"}
        return stage.registry.get_sample_value("kubeslice_hub_slice_quota_used_ratio", labels) == 0.9

    await stage.until(measured)


async def test_broken_limits_change_nothing_and_deleted_ones_are_lifted(stage: Stage) -> None:
    await stage.make_project()
    workers = await stage.register("west")
    profile = {"namespaceIsolationProfile": {"applicationNamespaces": [{"namespace": "shop", "clusters": ["*"]}]}}
    await stage.make_slice("red", "west", **profile)
    await limit(stage, sliceQuota={"pods": 10, "exportedServices": 1})

    async def part() -> Any:
        return objects.spec(await workers["west"].config("red")).get("resourceQuota")

    before = await stage.until(part)
    assert before == {"exportedServices": 1, "namespaces": [{"namespace": "shop", "hard": {"pods": "10"}}]}
    await limit(stage, sliceQuota={"pods": 10}, namespaceQuota=[{"namespace": "shop", "pods": 11}])
    told = "limits stay as they were"
    await stage.condition(r.SLICERESOURCEQUOTAS, "red", stage.home, "Ready", "False", told)
    assert await part() == before
    await stage.admin.delete(r.SLICERESOURCEQUOTAS, "red", stage.home)

    async def lifted() -> bool:
        return await part() is None

    await stage.until(lifted)
    config = await stage.admin.get(r.WORKERSLICECONFIGS, "red-west", stage.namespace_of("west"))
    assert objects.spec(config)["qosProfileDetails"]["bandwidthCeilingKbps"] == 10_000_000
