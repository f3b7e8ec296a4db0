"""The whole way with nothing but the roles that the manifests and the hub hand out."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.kube.applyset import Item
from kubeslice.kube.config import Connection
from kubeslice.kube.http import HttpApi
from kubeslice.manifests import workeraccess
from kubeslice.model import names, resources
from kubeslice.model.project import ProjectSpec
from kubeslice.plan.tenants import tenancy
from kubeslice.plan.tenants.tenancy import Member
from tests.worker.clusters import CLUSTER, OWN_ON_HUB, PROJECT, SYSTEM, eventually
from tests.worker.stage import Stage
from tests.worker.test_forwarding import COREFILE, dns_of_the_cluster, dns_service, written

pytestmark = pytest.mark.api

ACCESS = (
    resources.SERVICEACCOUNTS,
    resources.ROLES,
    resources.ROLEBINDINGS,
    resources.CLUSTERROLES,
    resources.CLUSTERROLEBINDINGS,
)


async def apply(api: HttpApi, item: Item) -> None:
    await api.apply(item.resource, item.object, manager="test")


async def login(api: HttpApi, secret: str, namespace: str) -> HttpApi:
    async def token() -> Any:
        found = await api.get(resources.SECRETS, secret, namespace)
        return (found.get("data") or {}).get("token")

    text = base64.b64decode(await eventually(token)).decode()
    to = api._to
    return HttpApi(Connection(to.host, to.port, to.tls, lambda: text, to.server_name))


async def as_operator(stage: Stage) -> HttpApi:
    by_kind = {resource.kind: resource for resource in ACCESS}
    for obj in workeraccess.WORKER.objects("kubeslice-worker"):
        await apply(stage.own, Item(by_kind[obj["kind"]], obj))
    metadata = {
        "name": "operator",
        "namespace": SYSTEM,
        "annotations": {"kubernetes.io/service-account.name": workeraccess.WORKER.name},
    }
    secret = {"metadata": metadata, "type": "kubernetes.io/service-account-token"}
    await stage.own.create(resources.SECRETS, secret)
    return await login(stage.own, "operator", SYSTEM)


async def as_worker_on_hub(stage: Stage, *, without: str = "") -> HttpApi:
    for resource, obj in tenancy.cluster_objects(Member("acme", CLUSTER), ProjectSpec(), {}):
        rules = [rule for rule in obj.get("rules") or [] if without not in rule["resources"]]
        await apply(stage.hub, Item(resource, obj | ({"rules": rules} if rules else {})))
    return await login(stage.hub, names.worker_account(CLUSTER), PROJECT)


async def test_a_slice_lives_and_dies_with_the_roles_that_are_handed_out(stage: Stage) -> None:
    await dns_of_the_cluster(stage)
    await dns_service(stage)
    async with await as_operator(stage) as own, await as_worker_on_hub(stage) as hub:
        confined = replace(stage, own=own, hub=hub)
        await stage.agents()
        await confined.start()
        profile = {"applicationNamespaces": ["shop"], "isolationEnabled": True}
        await stage.slice(namespaceIsolationProfile=profile)
        await stage.gateway()
        await stage.offer("red", "shop", ("web-0", "worker-1", "10.1.0.70"))
        await eventually(lambda: stage.own_object(resources.NAMESPACES, "shop", None))
        await stage.export()
        await stage.workers()
        await stage.tunnel()

        async def settled() -> Any:
            cluster = await stage.hub_object(resources.CLUSTERS, CLUSTER, PROJECT)
            config = await stage.hub_object(resources.WORKERSLICECONFIGS, f"red-{CLUSTER}")
            pair = await stage.hub_object(resources.WORKERSLICEGATEWAYS, f"red-{CLUSTER}-worker-1")
            return (
                objects.status(cluster).get("registrationStatus") == "Registered"
                and objects.status(config).get("gateways")
                and objects.is_true(config, "Ready")
                and objects.is_true(config, "Isolated")
                and objects.is_true(pair, "Ready")
                and await stage.hub_object(resources.SERVICEEXPORTCONFIGS, f"web-shop-{CLUSTER}")
                and await stage.own_object(resources.SERVICEIMPORTS, "web", "shop")
                and await written(stage) != COREFILE
            )

        await eventually(settled)
        assert (await stage.own.list(resources.EVENTS, SYSTEM)).items

        await stage.own.delete(resources.SERVICEEXPORTS, "web", "shop")
        for resource in (
            resources.WORKERSERVICEIMPORTS,
            resources.WORKERSLICEGATEWAYS,
            resources.WORKERSLICECONFIGS,
        ):
            for obj in (await stage.hub.list(resource, OWN_ON_HUB)).items:
                await stage.hub.delete(resource, objects.name(obj), OWN_ON_HUB)
        await stage.kill("router-0", "router-1", "gateway-1")

        async def clean() -> Any:
            left = [
                obj
                for resource in (
                    resources.WORKERSERVICEIMPORTS,
                    resources.WORKERSLICEGATEWAYS,
                    resources.WORKERSLICECONFIGS,
                    resources.SERVICEEXPORTCONFIGS,
                )
                for obj in (await stage.hub.list(resource, OWN_ON_HUB)).items
            ]
            namespace = await stage.own_object(resources.NAMESPACES, "shop", None)
            is_going = namespace is None or objects.is_deleting(namespace)
            return not left and is_going and not (await stage.own.list(resources.SLICES, SYSTEM)).items

        await eventually(clean)
        await confined.stop()


async def test_a_hub_that_shows_no_pre_shared_keys_is_worked_with_as_before(stage: Stage) -> None:
    async with await as_operator(stage) as own, await as_worker_on_hub(stage, without="secrets") as hub:
        confined = replace(stage, own=own, hub=hub)
        await confined.start()
        await stage.slice()
        await stage.gateway()
        name = f"red-{CLUSTER}-worker-1"
        named = {"spec": {"gatewayCredentials": {"secretName": name}}}
        await stage.hub.patch(resources.WORKERSLICEGATEWAYS, name, OWN_ON_HUB, named)

        async def has_peer() -> Any:
            found = await stage.own_object(resources.SLICEGATEWAYS, name)
            config = await stage.hub_object(resources.WORKERSLICECONFIGS, f"red-{CLUSTER}")
            return found and objects.spec(found).get("planes") and objects.status(config).get("gateways")

        await eventually(has_peer)
        assert confined.operator is not None
        assert confined.operator.term is not None
        assert not confined.operator.term.caches.hubs[0].secrets.synced.is_set()
        await confined.stop()
