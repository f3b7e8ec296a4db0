import base64
from functools import partial
from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.model import names, resources
from tests.worker.clusters import CLUSTER, SYSTEM, eventually
from tests.worker.stage import Stage

pytestmark = pytest.mark.api

CONFIG = f"red-{CLUSTER}"


async def test_a_slice_of_the_hub_becomes_a_slice_its_workloads_and_namespaces_here(stage: Stage) -> None:
    await stage.start()
    await stage.slice()
    seen = await eventually(lambda: stage.own_object(resources.SLICES, "red"))
    spec = objects.spec(seen)
    assert (spec["vni"], spec["mtu"], spec["clusterName"]) == (4097, 1420, CLUSTER)
    assert spec["nodeBlocks"] == [{"node": "node-1", "cidrs": ["10.1.64.64/26"]}]
    for name in ("slice-router-red-0", "slice-gateway-red-0"):
        deployment = await eventually(partial(stage.own_object, resources.DEPLOYMENTS, name))
        assert deployment["metadata"]["ownerReferences"][0]["uid"] == objects.uid(seen)
    service = await eventually(lambda: stage.own_object(resources.SERVICES, "slice-gateway-red-0"))
    assert objects.spec(service)["ports"][0]["nodePort"]
    namespace = await eventually(lambda: stage.own_object(resources.NAMESPACES, "shop", None))
    assert objects.labels(namespace)[names.SLICE_LABEL] == "red"
    assert objects.labels(namespace)[names.INJECT_LABEL] == "true"


async def test_the_hub_learns_key_and_endpoint_and_never_the_private_key(stage: Stage) -> None:
    await stage.start()
    await stage.slice()

    async def gateways() -> Any:
        config = await stage.hub_object(resources.WORKERSLICECONFIGS, CONFIG)
        return objects.status(config).get("gateways")

    told = (await eventually(gateways))[0]
    secret = await stage.own_object(resources.SECRETS, "slice-gateway-red-0")
    port = objects.spec(await stage.own_object(resources.SERVICES, "slice-gateway-red-0"))["ports"][1]["nodePort"]
    assert told["publicKey"] == base64.b64decode(secret["data"]["publicKey-1"]).decode()
    assert told["endpoints"] == [f"172.31.2.11:{port}"]
    private = base64.b64decode(secret["data"]["privateKey-1"]).decode()
    assert len(base64.b64decode(private)) == 32
    assert private not in str(await stage.hub_object(resources.WORKERSLICECONFIGS, CONFIG))


async def test_the_state_of_the_slice_is_one_sentence_here_and_on_the_hub(stage: Stage) -> None:
    await stage.start()
    await stage.slice()
    await eventually(lambda: stage.own_object(resources.NAMESPACES, "shop", None))

    async def sentence() -> Any:
        config = await stage.hub_object(resources.WORKERSLICECONFIGS, CONFIG)
        condition = objects.condition(config, "Ready")
        return condition["message"] if condition else ""

    async def says(words: Any) -> Any:
        return words in await sentence() and words in (await stage.ready(resources.SLICES, "red"))[1]

    await eventually(lambda: says("router 0 has no pod yet"))
    await stage.workers()
    await eventually(lambda: says("0 pods on the slice, 0 of 0 tunnels up"))
    await stage.pod("web-0", "shop", {"app": "web", names.POD_TYPE_LABEL: names.APP_POD})
    await eventually(lambda: says("1 pod on the slice"))
    config = await stage.hub_object(resources.WORKERSLICECONFIGS, CONFIG)
    status = objects.status(config)
    assert [pod["nsmIp"] for pod in status["connectedAppPods"]] == ["10.1.64.70"]
    assert status["onboardedAppNamespaces"] == [{"name": "shop"}]
    assert status["sliceHealth"]["sliceHealthStatus"] == "Normal"
    assert objects.is_true(config, "NamespacesOnboarded")


async def test_a_slice_that_settled_is_written_no_more(stage: Stage) -> None:
    await stage.start()
    await stage.slice()
    await stage.gateway()
    await eventually(lambda: stage.own_object(resources.SLICEGATEWAYS, f"red-{CLUSTER}-worker-1"))
    await stage.workers()
    await stage.tunnel()

    async def versions() -> Any:
        listings = [
            await stage.own.list(resource, SYSTEM)
            for resource in (
                resources.SLICES,
                resources.SLICEGATEWAYS,
                resources.DEPLOYMENTS,
                resources.SERVICES,
                resources.SECRETS,
                resources.SERVICEACCOUNTS,
                resources.ROLES,
                resources.ROLEBINDINGS,
                resources.PODDISRUPTIONBUDGETS,
            )
        ]
        hub = [await stage.hub.list(resources.WORKERSLICECONFIGS), await stage.hub.list(resources.WORKERSLICEGATEWAYS)]
        return [item["metadata"]["resourceVersion"] for listing in listings + hub for item in listing.items]

    async def settled() -> Any:
        before = await versions()
        await stage.own.patch(resources.NODES, "node-1", None, {"metadata": {"annotations": {"touched": str(before)}}})
        return before == await versions() and (await stage.ready(resources.SLICES, "red"))[0] == "True"

    await eventually(settled)
    assert await settled()


async def test_a_deleted_slice_leaves_nothing_and_the_hub_is_told_last(stage: Stage) -> None:
    await stage.start()
    await stage.slice()
    await stage.gateway()
    await stage.offer("red", "shop", ("web-0", "worker-1", "10.1.0.70"))
    await stage.workers()
    await eventually(lambda: stage.own_object(resources.SLICEGATEWAYS, f"red-{CLUSTER}-worker-1"))
    await eventually(lambda: stage.own_object(resources.SERVICEIMPORTS, "web", "shop"))

    for resource, name in (
        (resources.WORKERSLICECONFIGS, CONFIG),
        (resources.WORKERSLICEGATEWAYS, f"red-{CLUSTER}-worker-1"),
        (resources.WORKERSERVICEIMPORTS, f"web-shop-red-{CLUSTER}"),
    ):
        await stage.hub.delete(resource, name, f"kubeslice-acme-{CLUSTER}")

    async def only_pods_left() -> Any:
        kinds = (
            resources.DEPLOYMENTS,
            resources.SERVICES,
            resources.SECRETS,
            resources.SLICEGATEWAYS,
            resources.ROLES,
            resources.ROLEBINDINGS,
            resources.PODDISRUPTIONBUDGETS,
        )
        left = [await stage.own.list(kind, SYSTEM) for kind in kinds]
        names_left = [objects.name(obj) for listing in left for obj in listing.items]
        return names_left == [names.DNS_SERVICE]

    await eventually(only_pods_left)
    assert await stage.own_object(resources.SLICES, "red")
    assert await stage.hub_object(resources.WORKERSLICECONFIGS, CONFIG)
    await stage.kill("router-0", "router-1", "gateway-1")

    async def all_gone() -> Any:
        here = await stage.own_object(resources.SLICES, "red")
        return not here and not await stage.hub_object(resources.WORKERSLICECONFIGS, CONFIG)

    await eventually(all_gone)
    assert not await stage.own_object(resources.SERVICEIMPORTS, "web", "shop")

    async def told() -> Any:
        events = (await stage.own.list(resources.EVENTS, SYSTEM)).items
        news = {event["reason"]: event for event in events if event["reason"] in {"SliceCreated", "SliceDeleted"}}
        about = [(event["type"], event["involvedObject"]["name"], event["count"]) for event in news.values()]
        return len(news) == 2 and about == [("Normal", "red", 1)] * 2

    await eventually(told)

    async def namespace_is_going() -> Any:
        namespace = await stage.own_object(resources.NAMESPACES, "shop", None)
        return namespace is None or objects.is_deleting(namespace)

    await eventually(namespace_is_going)


async def test_a_namespace_somebody_made_is_given_back_as_it_was(stage: Stage) -> None:
    await stage.own.create(resources.NAMESPACES, {"metadata": {"name": "shop", "labels": {"team": "a"}}})
    await stage.start()
    await stage.slice()

    async def slice_label() -> Any:
        namespace = await stage.own_object(resources.NAMESPACES, "shop", None)
        return objects.labels(namespace).get(names.SLICE_LABEL)

    await eventually(slice_label)
    await stage.slice(namespaceIsolationProfile={"applicationNamespaces": []})

    async def is_off() -> Any:
        return not await slice_label()

    await eventually(is_off)
    namespace = await stage.own_object(resources.NAMESPACES, "shop", None)
    assert objects.labels(namespace)["team"] == "a"
    assert names.INJECT_LABEL not in objects.labels(namespace)
    assert not objects.is_deleting(namespace)


async def test_a_namespace_two_slices_ask_for_stays_with_the_older_and_the_other_says_so(stage: Stage) -> None:
    await stage.start()
    await stage.slice("red")
    made = await eventually(lambda: stage.own_object(resources.NAMESPACES, "shop", None))
    await stage.slice("blue", namespaceIsolationProfile={"applicationNamespaces": ["shop", "bank"]})

    async def refusal() -> Any:
        config = await stage.hub_object(resources.WORKERSLICECONFIGS, f"blue-{CLUSTER}")
        condition = objects.condition(config, "NamespacesOnboarded")
        return condition and condition["status"] == "False" and condition["message"]

    message = await eventually(refusal)
    assert "namespace shop is on slice red already" in message
    blue = await stage.own_object(resources.SLICES, "blue")
    assert objects.spec(blue)["namespaces"] == ["bank"]
    assert objects.spec(blue)["vni"] == 4098

    await stage.hub.delete(resources.WORKERSLICECONFIGS, CONFIG, f"kubeslice-acme-{CLUSTER}")

    async def moved() -> Any:
        namespace = await stage.own_object(resources.NAMESPACES, "shop", None)
        return namespace and objects.labels(namespace).get(names.SLICE_LABEL) == "blue" and namespace

    kept = await eventually(moved)
    assert objects.uid(kept) == objects.uid(made)
    assert not objects.is_deleting(kept)


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        (resources.DEPLOYMENTS, "slice-router-red-0"),
        (resources.SERVICES, "slice-gateway-red-0"),
        (resources.SLICES, "red"),
        (resources.ROLES, "slice-gateway-red"),
    ],
)
async def test_what_somebody_deletes_comes_back(stage: Stage, resource: Any, name: Any) -> None:
    await stage.start()
    await stage.slice()
    before = await eventually(lambda: stage.own_object(resource, name))
    await stage.own.delete(resource, name, SYSTEM)

    async def is_new() -> Any:
        seen = await stage.own_object(resource, name)
        return seen and objects.uid(seen) != objects.uid(before)

    await eventually(is_new)


async def test_a_key_that_exists_is_never_replaced(stage: Stage) -> None:
    await stage.start()
    await stage.slice()
    before = await eventually(lambda: stage.own_object(resources.SECRETS, "slice-gateway-red-0"))
    await stage.stop()
    await stage.start()
    await stage.slice(namespaceIsolationProfile={"applicationNamespaces": ["shop", "bank"]})
    await eventually(lambda: stage.own_object(resources.NAMESPACES, "bank", None))
    after = await stage.own_object(resources.SECRETS, "slice-gateway-red-0")
    assert after["data"] == before["data"]


async def test_what_the_hub_stopped_wanting_while_the_operator_was_away_goes(stage: Stage) -> None:
    await stage.start()
    await stage.slice()
    await eventually(lambda: stage.own_object(resources.SLICES, "red"))
    await stage.stop()
    await stage.hub.delete(resources.WORKERSLICECONFIGS, CONFIG, f"kubeslice-acme-{CLUSTER}")
    await stage.start()

    async def gone() -> Any:
        return not await stage.own_object(resources.SLICES, "red")

    await eventually(gone)
