import time
from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.model import names, resources
from tests.worker.clusters import CLUSTER, OWN_ON_HUB, eventually
from tests.worker.stage import Stage

pytestmark = pytest.mark.api

CONFIG = f"web-shop-{CLUSTER}"
OFFER = f"web-shop-red-{CLUSTER}"
WEB = {"app": "web", names.POD_TYPE_LABEL: names.APP_POD}


async def on_slice(stage: Stage) -> None:
    await stage.start()
    await stage.slice()

    async def labelled() -> Any:
        namespace = await stage.own_object(resources.NAMESPACES, "shop", None)
        return namespace and objects.labels(namespace).get(names.SLICE_LABEL)

    await eventually(labelled)


async def addresses(stage: Stage) -> list[str] | None:
    config = await stage.hub_object(resources.SERVICEEXPORTCONFIGS, CONFIG)
    if config is None:
        return None
    return [endpoint["nsmIp"] for endpoint in objects.spec(config).get("serviceDiscoveryEndpoints") or []]


def told(stage: Stage, *wanted: str) -> Any:
    async def holds() -> bool:
        return await addresses(stage) == list(wanted)

    return eventually(holds)


def exported(stage: Stage, state: str) -> Any:
    async def status() -> Any:
        seen = await stage.own_object(resources.SERVICEEXPORTS, "web", "shop")
        return objects.status(seen).get("exportStatus") == state and objects.status(seen)

    return eventually(status)


async def test_the_hub_hears_of_ready_pods_with_an_address_as_they_come_and_go(stage: Stage) -> None:
    await on_slice(stage)
    await stage.export()
    await exported(stage, "PENDING")
    await stage.pod("web-0", "shop", WEB, address="10.1.64.70")
    await stage.pod("web-1", "shop", WEB, address="10.1.64.71", ready=False)
    await told(stage, "10.1.64.70")
    await stage.readiness("web-1", "shop", ready=True)
    await told(stage, "10.1.64.70", "10.1.64.71")
    status = await exported(stage, "READY")
    assert status["dnsName"] == "web.shop.svc.slice.local"
    assert status["availableEndpoints"] == 2
    assert status["pods"][0]["dnsName"] == f"web-0.{CLUSTER}.web.shop.svc.slice.local"
    await stage.kill("web-0", namespace="shop")
    await told(stage, "10.1.64.71")


async def test_a_change_reaches_the_hub_quickly(stage: Stage) -> None:
    await on_slice(stage)
    await stage.export()
    await stage.pod("web-0", "shop", WEB)
    await told(stage, "10.1.64.70")
    times = []
    for ready in (False, True) * 5:
        started = time.monotonic()
        await stage.readiness("web-0", "shop", ready=ready)
        await told(stage, *(["10.1.64.70"] if ready else []))
        times.append(time.monotonic() - started)
    assert max(times) < 0.5


async def test_a_namespace_without_a_slice_is_told_what_to_do(stage: Stage) -> None:
    await stage.own.create(resources.NAMESPACES, {"metadata": {"name": "bank"}})
    await on_slice(stage)
    await stage.export("bank")

    async def refusal() -> Any:
        status, message = await stage.ready(resources.SERVICEEXPORTS, "web", "bank")
        return status == "False" and message

    message = await eventually(refusal)
    assert message.startswith("namespace bank is not on a slice: add it to")
    assert not await stage.hub_object(resources.SERVICEEXPORTCONFIGS, f"web-bank-{CLUSTER}")
    await stage.slice(namespaceIsolationProfile={"applicationNamespaces": ["shop", "bank"]})

    async def possible() -> Any:
        return await stage.hub_object(resources.SERVICEEXPORTCONFIGS, f"web-bank-{CLUSTER}")

    await eventually(possible)


async def test_a_deleted_export_is_withdrawn_also_when_the_operator_was_away(stage: Stage) -> None:
    await on_slice(stage)
    await stage.export()
    await told(stage)
    await stage.own.delete(resources.SERVICEEXPORTS, "web", "shop")

    async def gone() -> Any:
        return await addresses(stage) is None

    await eventually(gone)
    await stage.export()
    await told(stage)
    await stage.stop()
    await stage.own.delete(resources.SERVICEEXPORTS, "web", "shop")
    await stage.start()
    await eventually(gone)


async def test_an_export_of_a_slice_that_went_is_withdrawn_and_says_so(stage: Stage) -> None:
    await on_slice(stage)
    await stage.export()
    await stage.pod("web-0", "shop", WEB)
    await told(stage, "10.1.64.70")
    await stage.hub.delete(resources.WORKERSLICECONFIGS, f"red-{CLUSTER}", OWN_ON_HUB)
    await exported(stage, "ERROR")
    assert await addresses(stage) is None


def imported(stage: Stage, *wanted: str) -> Any:
    async def holds() -> Any:
        seen = await stage.own_object(resources.SERVICEIMPORTS, "web", "shop")
        endpoints = objects.status(seen).get("endpoints") if seen else None
        return endpoints is not None and [entry["ip"] for entry in endpoints] == list(wanted) and seen

    return eventually(holds)


async def test_an_offer_of_the_hub_becomes_an_import_here(stage: Stage) -> None:
    await on_slice(stage)
    await stage.offer("red", "shop", ("web-0", "worker-1", "10.1.0.70"), ("web-0", CLUSTER, "10.1.64.70"))
    seen = await imported(stage, "10.1.0.70", "10.1.64.70")
    assert objects.spec(seen)["dnsName"] == "web.shop.svc.slice.local"
    assert objects.status(seen)["importStatus"] == "READY"
    await stage.offer("red", "shop", ("web-0", CLUSTER, "10.1.64.70"))
    await imported(stage, "10.1.64.70")

    async def ready() -> Any:
        return objects.is_true(await stage.hub_object(resources.WORKERSERVICEIMPORTS, OFFER), "Ready")

    await eventually(ready)


async def test_an_offer_for_a_namespace_that_is_not_on_the_slice_is_declined_with_a_reason(stage: Stage) -> None:
    await on_slice(stage)
    await stage.offer("red", "bank", ("web-0", "worker-1", "10.1.0.70"))
    name = f"web-bank-red-{CLUSTER}"

    async def reason() -> Any:
        condition = objects.condition(await stage.hub_object(resources.WORKERSERVICEIMPORTS, name), "Ready")
        return condition and condition["status"] == "False" and condition["message"]

    assert "namespace bank does not exist in this cluster" in await eventually(reason)
    assert not await stage.own_object(resources.NAMESPACES, "bank", None)


async def test_of_two_slices_that_offer_one_name_the_namespaces_own_is_imported(stage: Stage) -> None:
    await on_slice(stage)
    await stage.offer("blue", "shop", ("web-0", "worker-1", "10.2.0.70"))
    await stage.offer("red", "shop", ("web-0", "worker-1", "10.1.0.70"))
    await imported(stage, "10.1.0.70")


async def test_an_offer_the_hub_takes_back_goes_here_first(stage: Stage) -> None:
    await on_slice(stage)
    await stage.offer("red", "shop", ("web-0", "worker-1", "10.1.0.70"))
    await imported(stage, "10.1.0.70")

    async def held() -> Any:
        return objects.finalizers(await stage.hub_object(resources.WORKERSERVICEIMPORTS, OFFER))

    await eventually(held)
    await stage.hub.delete(resources.WORKERSERVICEIMPORTS, OFFER, OWN_ON_HUB)

    async def gone() -> Any:
        return not await stage.hub_object(resources.WORKERSERVICEIMPORTS, OFFER)

    await eventually(gone)
    assert not await stage.own_object(resources.SERVICEIMPORTS, "web", "shop")
