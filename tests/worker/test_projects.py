"""One cluster works for two projects, whose slices bear the same names and do not notice each other."""

import base64
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from kubeslice.install import worker
from kubeslice.kube import finalizers, objects
from kubeslice.kube.errors import NotFound
from kubeslice.kube.tokens import request_token
from kubeslice.manifests import HubCredentials, Image, hub_secret
from kubeslice.model import names, resources
from kubeslice.model.errors import Terminal
from kubeslice.model.project import ProjectSpec
from kubeslice.plan.cluster.localnames import LocalNames
from kubeslice.plan.tenants import tenancy
from kubeslice.plan.tenants.joining import JoinToken
from kubeslice.plan.tenants.tenancy import Member
from tests.worker.clusters import CLUSTER, PROJECT, SYSTEM, eventually
from tests.worker.stage import Stage

pytestmark = pytest.mark.api

BETA = Member("beta", "west")
SECRET = names.further_hub_secret("beta")
IMAGE = Image("kubeslice/kubeslice:1")
Object = dict[str, Any]


@pytest.fixture
async def joined(stage: Stage) -> AsyncIterator[Stage]:
    """A worker that joined acme as worker-2 and then beta as west, and works."""
    first = HubCredentials("https://192.0.2.1", "unused", "unused")
    await stage.own.apply(resources.SECRETS, hub_secret(Member("acme", CLUSTER), first), manager="test")
    await stage.own.create(resources.DEPLOYMENTS, deployment())
    for namespace in ("kube-system", names.project_namespace("beta"), BETA.namespace):
        await ensure(stage.hub if "beta" in namespace else stage.own, namespace)
    cluster = {"metadata": {"name": "west", "namespace": "kubeslice-beta", "finalizers": ["test/hub"]}, "spec": {}}
    await stage.hub.create(resources.CLUSTERS, cluster)
    for resource, obj in tenancy.cluster_objects(BETA, ProjectSpec(), {}):
        await stage.hub.apply(resource, obj, manager="test")
    await stage.start()
    await worker.install(stage.own, "beta", "west", await credentials(stage), IMAGE)
    yield stage
    await stage.stop()


async def ensure(api: Any, namespace: str) -> None:
    try:
        await api.get(resources.NAMESPACES, namespace)
    except NotFound:
        await api.create(resources.NAMESPACES, {"metadata": {"name": namespace}})


async def credentials(stage: Stage) -> HubCredentials:
    """Return what the hub of beta hands out."""
    account, to = names.worker_account("west"), stage.hub._to

    async def ca() -> Any:
        secret = await stage.hub.get(resources.SECRETS, account, "kubeslice-beta")
        return (secret.get("data") or {}).get("ca.crt")

    authority = base64.b64decode(await eventually(ca)).decode()
    token = await request_token(stage.hub, account, "kubeslice-beta", 3600)
    return HubCredentials(f"https://{to.authority}", token, authority)


def deployment() -> Object:
    project = {"name": "HUB_PROJECT_NAMESPACE", "value": PROJECT}
    container = {"name": "operator", "image": "kubeslice/kubeslice:1", "env": [project]}
    pod = {"metadata": {"labels": {"app": "operator"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "operator"}}, "template": pod}
    return {"metadata": {"name": "kubeslice-worker", "namespace": SYSTEM}, "spec": spec}


async def beta_slice(stage: Stage, *namespaces: str) -> str:
    """Play the hub of beta, which wants a slice red in west; return what it is called there."""
    spec = {
        "sliceName": "red",
        "sliceSubnet": "10.1.0.0/16",
        "clusterSubnetCIDR": "10.1.64.0/18",
        "gatewayReplicas": 1,
        "namespaceIsolationProfile": {"applicationNamespaces": list(namespaces)},
    }
    body = {"metadata": {"name": "red-west", "namespace": BETA.namespace}, "spec": spec}
    await stage.hub.apply(resources.WORKERSLICECONFIGS, body, manager=names.HUB_MANAGER)
    salt = objects.uid(await stage.own.get(resources.NAMESPACES, "kube-system"))
    return LocalNames("beta", is_first=False, salt=salt).of_slice("red")


async def seen(stage: Stage, name: str, *namespaces: str) -> Object:
    """Wait until a Slice is here and has these namespaces."""

    async def found() -> Any:
        obj = await stage.own_object(resources.SLICES, name)
        return obj if obj and (objects.spec(obj).get("namespaces") or []) == list(namespaces) else None

    return await eventually(found)  # type: ignore[no-any-return]


async def test_two_projects_with_slices_of_one_name_do_not_meet(joined: Stage) -> None:
    await joined.slice()
    mine = await seen(joined, "red", "shop")
    name = await beta_slice(joined, "cart", "shop")
    other = await seen(joined, name, "cart")
    assert objects.labels(mine)[names.PROJECT_LABEL] == "acme"
    assert objects.labels(other)[names.PROJECT_LABEL] == "beta"
    assert (objects.spec(other)["sliceName"], objects.spec(other)["clusterName"]) == ("red", "west")
    assert objects.spec(other)["vni"] != objects.spec(mine)["vni"]

    async def refused() -> str:
        config = await joined.hub_object(resources.WORKERSLICECONFIGS, "red-west", BETA.namespace)
        return str((objects.condition(config, "NamespacesOnboarded") or {}).get("message") or "")

    sentence = await eventually(refused)
    assert "shop is used by another project" in sentence
    assert "acme" not in sentence

    async def inventories() -> Any:
        found = {}
        for cluster, home in ((CLUSTER, PROJECT), ("west", "kubeslice-beta")):
            status = objects.status(await joined.hub_object(resources.CLUSTERS, cluster, home))
            lines = {line["name"]: line.get("sliceName", "") for line in status.get("namespaces") or []}
            found[cluster] = {line: lines[line] for line in ("shop", "cart") if line in lines}
        return found == {CLUSTER: {"shop": "red"}, "west": {"cart": "red"}}

    await eventually(inventories)


async def test_the_administrator_of_the_cluster_keeps_a_namespace_for_a_project(joined: Stage) -> None:
    await joined.slice()
    await seen(joined, "red", "shop")
    name = await beta_slice(joined, "shop")
    await seen(joined, name)
    kept = {"metadata": {"labels": {names.PROJECT_LABEL: "beta"}}}
    await joined.own.patch(resources.NAMESPACES, "shop", None, kept)
    await seen(joined, "red")
    await seen(joined, name, "shop")


async def test_each_project_hears_of_its_own_gateways_and_exports_only(joined: Stage) -> None:
    await joined.slice()
    await joined.gateway()
    name = await beta_slice(joined, "cart")
    pair = {
        "sliceName": "red",
        "localGatewayConfig": {"clusterName": "west", "gatewaySubnet": "10.1.64.0/18"},
        "remoteGatewayConfig": {"clusterName": "worker-1", "gatewaySubnet": "10.1.0.0/18", "planes": []},
    }
    body = {"metadata": {"name": "red-west-worker-1", "namespace": BETA.namespace}, "spec": pair}
    await joined.hub.apply(resources.WORKERSLICEGATEWAYS, body, manager=names.HUB_MANAGER)
    await seen(joined, name, "cart")
    for pair_name, slice_name in ((f"red-{CLUSTER}-worker-1", "red"), (f"{name}-west-worker-1", name)):
        made = await eventually(partial(joined.own_object, resources.SLICEGATEWAYS, pair_name))
        assert objects.spec(made)["sliceName"] == slice_name
        for plane_part in (resources.SECRETS, resources.SERVICES):
            await eventually(partial(joined.own_object, plane_part, names.gateway_deployment(slice_name, 0)))

    await joined.pod("web-1", "cart", {"app": "web"}, slice_name=name)
    await joined.export("cart")
    config = names.service_export_config("web", "cart", "west")

    async def told() -> Any:
        found = await joined.hub_object(resources.SERVICEEXPORTCONFIGS, config, BETA.namespace)
        endpoints = objects.spec(found).get("serviceDiscoveryEndpoints") or [] if found else []
        return [(endpoint["podName"], objects.spec(found)["sliceName"]) for endpoint in endpoints] == [("web-1", "red")]

    await eventually(told)
    assert not (await joined.hub.list(resources.SERVICEEXPORTCONFIGS, names.cluster_namespace("acme", CLUSTER))).items


async def test_a_project_is_left_and_the_others_go_on(joined: Stage) -> None:
    await joined.slice()
    name = await beta_slice(joined, "cart")
    await seen(joined, name, "cart")
    await joined.hub.delete(resources.CLUSTERS, "west", "kubeslice-beta")
    await joined.hub.delete(resources.WORKERSLICECONFIGS, "red-west", BETA.namespace)

    async def is_left() -> bool:
        cluster = await joined.hub_object(resources.CLUSTERS, "west", "kubeslice-beta")
        slice_seen = await joined.own_object(resources.SLICES, name)
        secret = await joined.own_object(resources.SECRETS, SECRET)
        return objects.status(cluster).get("registrationStatus") == "Deregistered" and not slice_seen and not secret

    await eventually(is_left)
    await seen(joined, "red", "shop")
    assert objects.spec(await joined.own_object(resources.DEPLOYMENTS, "kubeslice-worker"))["replicas"] == 1
    await joined.slice("blue", namespaceIsolationProfile={"applicationNamespaces": ["desk"]})
    await seen(joined, "blue", "desk")
    cluster = await joined.hub_object(resources.CLUSTERS, "west", "kubeslice-beta")
    await finalizers.remove(joined.hub, resources.CLUSTERS, cluster, "test/hub")


async def test_a_hub_that_is_away_or_a_credential_that_is_lost_takes_nothing_down(joined: Stage) -> None:
    name = await beta_slice(joined, "cart")
    await seen(joined, name, "cart")
    await joined.stop()
    nowhere = {"endpoint": base64.b64encode(b"https://127.0.0.1:1").decode()}
    await joined.own.patch(resources.SECRETS, SECRET, SYSTEM, {"data": nowhere})
    await joined.start()
    await joined.slice()
    await seen(joined, "red", "shop")

    async def says(reason: str) -> bool:
        found = await joined.own_object(resources.SLICES, name)
        return (objects.condition(found, "HubReachable") or {}).get("reason") == reason

    await eventually(partial(says, "HubUnreachable"))
    await joined.own.delete(resources.SECRETS, SECRET, SYSTEM)
    await joined.own.patch(resources.SLICES, name, SYSTEM, {"metadata": {"annotations": {"look": "again"}}})
    await eventually(partial(says, "NotJoined"))
    assert await seen(joined, name, "cart")


async def test_joining_again_under_another_name_and_taking_off_what_others_use_are_refused(joined: Stage) -> None:
    assert await worker.is_further(joined.own, "beta")
    assert not await worker.is_further(joined.own, "acme")
    with pytest.raises(Terminal, match="works for beta too"):
        await worker.uninstall(joined.own, "acme", CLUSTER)
    invitation = JoinToken("https://192.0.2.1", "CA", "beta", "east", "t")
    with pytest.raises(Terminal, match="is west of project beta already"):
        await worker.join(joined.own, invitation, IMAGE)
