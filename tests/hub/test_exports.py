"""Exports of some clusters become imports of all members, for as long as they count."""

from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.model import names
from kubeslice.model import resources as r
from tests.hub.stage import Object, Stage, Worker

pytestmark = pytest.mark.api


async def export(worker: Worker, *addresses: str, **changes: Any) -> Object:
    spec: dict[str, Any] = {
        "serviceName": "web",
        "serviceNamespace": "shop",
        "sliceName": "red",
        "sourceCluster": worker.cluster,
        "serviceDiscoveryPorts": [
            {"name": "http", "port": 8080, "protocol": "TCP", "servicePort": 80},
            {"name": "dns", "port": 53, "protocol": "UDP"},
        ],
        "serviceDiscoveryEndpoints": [
            {"podName": f"web-{i}", "cluster": worker.cluster, "nsmIp": address, "port": 8080}
            for i, address in enumerate(addresses)
        ],
        **changes,
    }
    name = names.service_export_config("web", "shop", worker.cluster)
    obj = {"metadata": {"name": name, "namespace": worker.namespace}, "spec": spec}
    return await worker.api.apply(r.SERVICEEXPORTCONFIGS, obj, manager=names.WORKER_MANAGER)


async def imported(stage: Stage, cluster: str) -> list[str] | None:
    """Return the addresses that a member imports, None when it imports nothing."""
    name = names.worker_service_import("web", "shop", "red", cluster)
    found = await stage.find(r.WORKERSERVICEIMPORTS, name, stage.namespace_of(cluster))
    return [e["nsmIp"] for e in found["spec"]["serviceDiscoveryEndpoints"]] if found else None


async def settled(stage: Stage, wanted: dict[str, list[str] | None]) -> None:
    async def is_so() -> bool:
        return {cluster: await imported(stage, cluster) for cluster in wanted} == wanted

    await stage.until(is_so)


async def members(stage: Stage, *clusters: str) -> dict[str, Worker]:
    await stage.make_project()
    workers = await stage.register(*clusters)
    await stage.make_slice("red", *clusters)
    for worker in workers.values():
        await worker.config("red")
    return workers


async def test_every_member_imports_what_some_export(stage: Stage) -> None:
    workers = await members(stage, "a", "b")
    await export(workers["a"], "10.1.0.20")
    await settled(stage, {"a": ["10.1.0.20"], "b": ["10.1.0.20"]})
    await export(workers["b"], "10.1.64.20", "10.1.64.21")
    await settled(stage, {c: ["10.1.0.20", "10.1.64.20", "10.1.64.21"] for c in "ab"})
    found = await stage.admin.get(r.WORKERSERVICEIMPORTS, "web-shop-red-a", stage.namespace_of("a"))
    assert found["spec"]["sourceClusters"] == ["a", "b"]
    assert [p["name"] for p in found["spec"]["serviceDiscoveryPorts"]] == ["dns", "http"]
    name = names.service_export_config("web", "shop", "b")
    await stage.condition(r.SERVICEEXPORTCONFIGS, name, workers["b"].namespace, "Ready", "True", "2 endpoints")
    await workers["a"].api.delete(r.SERVICEEXPORTCONFIGS, "web-shop-a", workers["a"].namespace)
    await settled(stage, {c: ["10.1.64.20", "10.1.64.21"] for c in "ab"})
    await workers["b"].api.delete(r.SERVICEEXPORTCONFIGS, name, workers["b"].namespace)
    await settled(stage, {"a": None, "b": None})


async def test_a_cluster_cannot_speak_for_another(stage: Stage) -> None:
    workers = await members(stage, "a", "b")
    await export(workers["a"], "10.1.0.20", "10.1.64.99")
    await settled(stage, {"b": ["10.1.0.20"]})
    await export(Worker(stage, "b", stage.admin), "10.1.0.66", sourceCluster="a")
    await stage.condition(r.SERVICEEXPORTCONFIGS, "web-shop-b", workers["b"].namespace, "Ready", "False", "Foreign")
    await settled(stage, {"a": ["10.1.0.20"], "b": ["10.1.0.20"]})


async def test_an_export_on_a_slice_that_comes_later_waits_for_it(stage: Stage) -> None:
    await stage.make_project()
    workers = await stage.register("a", "b")
    await export(workers["a"], "10.1.64.20")
    name, namespace = "web-shop-a", workers["a"].namespace
    await stage.condition(r.SERVICEEXPORTCONFIGS, name, namespace, "Ready", "False", "NoSuchSlice")
    await stage.make_slice("red", "b")
    await stage.condition(r.SERVICEEXPORTCONFIGS, name, namespace, "Ready", "False", "NotAMember")
    await stage.make_slice("red", "a", "b")
    await settled(stage, {"a": ["10.1.64.20"], "b": ["10.1.64.20"]})
    await stage.make_slice("red", "b")
    await stage.condition(r.SERVICEEXPORTCONFIGS, name, namespace, "Ready", "False", "NotAMember")
    await settled(stage, {"a": None, "b": None})


async def test_imports_follow_the_members_of_the_slice(stage: Stage) -> None:
    workers = await members(stage, "a", "b")
    await export(workers["a"], "10.1.0.20")
    await settled(stage, {"a": ["10.1.0.20"], "b": ["10.1.0.20"]})
    await stage.register("c")
    await stage.make_slice("red", "a", "c")
    await settled(stage, {"a": ["10.1.0.20"], "b": None, "c": ["10.1.0.20"]})
    await stage.admin.delete(r.SLICECONFIGS, "red", stage.home)
    await settled(stage, {"a": None, "c": None})
    await stage.gone(r.SLICECONFIGS, "red", stage.home)


async def test_an_import_that_somebody_deletes_comes_back(stage: Stage) -> None:
    workers = await members(stage, "a", "b")
    await export(workers["a"], "10.1.0.20")
    await settled(stage, {"b": ["10.1.0.20"]})
    namespace = stage.namespace_of("b")
    before = objects.uid(await stage.admin.get(r.WORKERSERVICEIMPORTS, "web-shop-red-b", namespace))
    await stage.admin.delete(r.WORKERSERVICEIMPORTS, "web-shop-red-b", namespace)

    async def is_back() -> bool:
        found = await stage.find(r.WORKERSERVICEIMPORTS, "web-shop-red-b", namespace)
        return found is not None and objects.uid(found) != before

    await stage.until(is_back)
