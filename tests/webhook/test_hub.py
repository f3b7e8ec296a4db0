"""The hub's API server with its webhook: what cannot work is refused with a sentence that says what to do."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubeslice.install import slices as removal
from kubeslice.kube import requests
from kubeslice.kube.errors import Invalid
from kubeslice.kube.http import HttpApi
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.plan.tenants import tenancy
from kubeslice.plan.tenants.tenancy import Member
from tests.webhook.running import Running, until, webhook

pytestmark = pytest.mark.api

HOME = "kubeslice-shop"


@pytest.fixture
async def running(admin: HttpApi, loopback_cluster: Path) -> AsyncIterator[Running]:
    async with webhook(admin, loopback_cluster, "hub") as up:
        project = {"metadata": {"name": "shop", "namespace": names.HUB_NAMESPACE}, "spec": {}}
        await admin.apply(r.PROJECTS, project, manager="test")
        labels = tenancy.project_labels("shop")
        await admin.apply(r.NAMESPACES, {"metadata": {"name": HOME, "labels": labels}}, manager="test")
        labels = tenancy.cluster_labels(Member("shop", "a"))
        await admin.apply(r.NAMESPACES, {"metadata": {"name": f"{HOME}-a", "labels": labels}}, manager="test")
        for name in ("a", "b"):
            await admin.apply(r.CLUSTERS, {"metadata": {"name": name, "namespace": HOME}, "spec": {}}, manager="test")
        yield up


def slice_config(name: str, *clusters: str, **spec: Any) -> dict[str, Any]:
    wanted = {"sliceSubnet": "10.1.0.0/16", "maxClusters": 4, "clusters": list(clusters), **spec}
    return {"metadata": {"name": name, "namespace": HOME}, "spec": wanted}


@pytest.mark.usefixtures("running")
async def test_a_slice_is_checked_beside_its_project(admin: HttpApi) -> None:
    async def made() -> Any:
        profile = {"applicationNamespaces": [{"namespace": "web", "clusters": ["*"]}]}
        return await admin.apply(
            r.SLICECONFIGS, slice_config("red", "a", "b", namespaceIsolationProfile=profile), manager="test"
        )

    await until(made)
    with pytest.raises(Invalid, match="there is no Cluster nowhere"):
        await admin.apply(r.SLICECONFIGS, slice_config("blue", "a", "nowhere"), manager="test")

    async def claimed() -> bool:
        profile = {"applicationNamespaces": [{"namespace": "web", "clusters": ["a"]}]}
        try:
            await admin.apply(
                r.SLICECONFIGS, slice_config("green", "a", namespaceIsolationProfile=profile), manager="test"
            )
        except Invalid as refusal:
            return "belongs to slice red" in refusal.message
        await admin.delete(r.SLICECONFIGS, "green", HOME)
        return False

    await until(claimed)
    with pytest.raises(Invalid, match=r"still in spec\.clusters of slices red"):
        await admin.delete(r.CLUSTERS, "a", HOME)
    with pytest.raises(Invalid, match="still has slices red: delete those first"):
        await admin.delete(r.PROJECTS, "shop", names.HUB_NAMESPACE)
    labelled: dict[str, Any] = {"metadata": {"labels": {"x": "y"}, "finalizers": ["example.com/x"]}}
    await admin.patch(r.SLICECONFIGS, "red", HOME, labelled)
    await admin.patch(r.SLICECONFIGS, "red", HOME, {"metadata": {"finalizers": None}})
    with pytest.raises(Invalid, match="slice red still holds the namespaces web: take them out"):
        await admin.delete(r.SLICECONFIGS, "red", HOME)
    await removal.delete(admin, "red", HOME)


@pytest.mark.usefixtures("running")
async def test_names_that_would_collide_are_refused(admin: HttpApi) -> None:
    collision = {"metadata": {"name": "shop-a", "namespace": names.HUB_NAMESPACE}, "spec": {}}

    async def refused() -> bool:
        try:
            await admin.create(r.PROJECTS, collision)
        except Invalid as refusal:
            return "belongs to cluster a of project shop" in refusal.message
        await admin.delete(r.PROJECTS, "shop-a", names.HUB_NAMESPACE)
        return False

    await until(refused)


@pytest.mark.usefixtures("running")
async def test_an_export_speaks_for_its_own_cluster(admin: HttpApi) -> None:
    spec = {"serviceName": "web", "serviceNamespace": "x", "sourceCluster": "b", "sliceName": "red"}
    export = {"metadata": {"name": "web-x-b", "namespace": f"{HOME}-a"}, "spec": spec}

    async def refused() -> bool:
        try:
            await admin.create(r.SERVICEEXPORTCONFIGS, export)
        except Invalid as refusal:
            return "says it is of cluster b, but it is in the namespace of a" in refusal.message
        await admin.delete(r.SERVICEEXPORTCONFIGS, "web-x-b", f"{HOME}-a")
        return False

    await until(refused)


@pytest.mark.usefixtures("running")
async def test_a_profile_in_use_is_kept(admin: HttpApi) -> None:
    qos = {**tenancy.default_qos("shop"), "metadata": {"name": "gold", "namespace": HOME}}
    await admin.apply(r.SLICEQOSCONFIGS, qos, manager="test")

    async def made() -> Any:
        wanted = slice_config("gilt", "a", standardQosProfileName="gold", sliceSubnet="10.9.0.0/16")
        return await admin.apply(r.SLICECONFIGS, wanted, manager="test")

    await until(made)

    async def refused() -> bool:
        try:
            await admin.delete(r.SLICEQOSCONFIGS, "gold", HOME)
        except Invalid as refusal:
            return "still named by slices gilt" in refusal.message
        await admin.apply(r.SLICEQOSCONFIGS, qos, manager="test")
        return False

    await until(refused)
    await admin.delete(r.SLICECONFIGS, "gilt", HOME)


@pytest.mark.usefixtures("running")
async def test_what_a_slice_carries_and_remembers_is_kept(admin: HttpApi) -> None:
    rotation = {"metadata": {"name": "red", "namespace": HOME}, "spec": {"sliceName": "red"}}
    spec = {"serviceName": "web", "serviceNamespace": "x", "sourceCluster": "a", "sliceName": "red"}
    await admin.create(r.SLICECONFIGS, slice_config("red", "a"))
    await admin.create(r.VPNKEYROTATIONS, rotation)
    await admin.create(r.SLICEIPAMS, {**rotation, "spec": {"sliceName": "red", "sliceSubnet": "10.1.0.0/16"}})
    await admin.create(r.SERVICEEXPORTCONFIGS, {"metadata": {"name": "web", "namespace": f"{HOME}-a"}, "spec": spec})

    async def refused() -> bool:
        try:
            await admin.delete(r.SLICECONFIGS, "red", HOME)
        except Invalid as refusal:
            return r"still exported on slice red: web.x (a)" in refusal.message
        await admin.create(r.SLICECONFIGS, slice_config("red", "a"))
        return False

    await until(refused)
    with pytest.raises(Invalid, match="slice red lives by the keys it remembers"):
        await admin.delete(r.VPNKEYROTATIONS, "red", HOME)
    with pytest.raises(Invalid, match="slice red lives by the addresses it remembers"):
        await admin.delete(r.SLICEIPAMS, "red", HOME)
    silent = [
        {"type": "Reachable", "status": "False", "reason": "Silent", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    ]
    await admin.patch(r.CLUSTERS, "a", HOME, {"status": {"conditions": silent}}, subresource="status")
    await removal.delete(admin, "red", HOME)
    await admin.delete(r.VPNKEYROTATIONS, "red", HOME)
    await admin.delete(r.SLICEIPAMS, "red", HOME)
    await admin.delete(r.SERVICEEXPORTCONFIGS, "web", f"{HOME}-a")


@pytest.mark.usefixtures("running")
async def test_limits_that_do_not_fit_their_slice_are_refused(admin: HttpApi) -> None:
    profile = {"applicationNamespaces": [{"namespace": "web", "clusters": ["*"]}]}
    made = slice_config("red", "a", "b", namespaceIsolationProfile=profile)

    def limits(**spec: Any) -> Any:
        obj = {"metadata": {"name": "red", "namespace": HOME}, "spec": spec}
        return admin.apply(r.SLICERESOURCEQUOTAS, obj, manager="test")

    async def refused() -> bool:
        try:
            await limits(sliceQuota={"pods": 3}, namespaceQuota=[{"namespace": "web", "pods": 2}])
        except Invalid as refusal:
            return "add up to 4, and 3 is all there is" in refusal.message
        return False

    await admin.apply(r.SLICECONFIGS, made, manager="test")
    await until(refused)
    with pytest.raises(Invalid, match="namespace db is not on slice red: add it to its applicationNamespaces"):
        await limits(namespaceQuota=[{"namespace": "db", "pods": 2}])
    with pytest.raises(Invalid, match=r"no amount|Invalid value"):
        await limits(sliceQuota={"requests": {"cpu": "many"}})
    await limits(sliceQuota={"requests": {"cpu": 3, "memory": "3Gi"}, "pods": 4})


@pytest.mark.usefixtures("running")
async def test_objects_where_nobody_looks_are_refused(admin: HttpApi) -> None:
    with pytest.raises(Invalid, match="nobody looks for a Project in default: write kubeslice-controller"):
        await admin.create(r.PROJECTS, {"metadata": {"name": "x", "namespace": "default"}, "spec": {}})
    with pytest.raises(Invalid, match="default is not the namespace of a project: create a Project first"):
        await admin.create(r.CLUSTERS, {"metadata": {"name": "x", "namespace": "default"}, "spec": {}})
    lost = slice_config("x", "a")
    with pytest.raises(Invalid, match="kubeslice-shop-a belongs to cluster a alone: write kubeslice-shop"):
        await admin.create(r.SLICECONFIGS, lost | {"metadata": {"name": "x", "namespace": f"{HOME}-a"}})


async def test_a_webhook_that_is_gone_stops_nobody(admin: HttpApi, loopback_cluster: Path) -> None:
    async with webhook(admin, loopback_cluster, "hub"):
        pass
    wanted = {"metadata": {"name": "lonely", "namespace": names.HUB_NAMESPACE}, "spec": {}}
    await admin.create(r.PROJECTS, wanted)
    await admin.delete(r.PROJECTS, "lonely", names.HUB_NAMESPACE)


async def refusal(api: HttpApi, namespace: str) -> str:
    """Return why a namespace would not be deleted."""
    request = requests.delete(r.NAMESPACES, namespace, None, "", None)
    try:
        await api.send(replace(request, target=f"{request.target}?dryRun=All"))
    except Invalid as refused:
        return refused.message
    return ""


@pytest.mark.usefixtures("running")
async def test_a_namespace_goes_with_its_project_or_cluster_and_not_before(admin: HttpApi) -> None:
    async def is_kept(namespace: str, instead: str) -> bool:
        return f"delete {instead} instead" in await refusal(admin, namespace)

    home = f"{HOME}-c"
    await admin.create(r.CLUSTERS, {"metadata": {"name": "c", "namespace": HOME}, "spec": {}})
    labels = tenancy.cluster_labels(Member("shop", "c"))
    await admin.create(r.NAMESPACES, {"metadata": {"name": home, "labels": labels}})
    await until(lambda: is_kept(HOME, "Project shop in kubeslice-controller"))
    await until(lambda: is_kept(home, "Cluster c in kubeslice-shop"))
    await admin.create(r.NAMESPACES, {"metadata": {"name": "copy", "labels": tenancy.project_labels("shop")}})
    await admin.delete(r.NAMESPACES, "copy")  # labels alone make no namespace the hub's
    async with admin.acting_as(f"system:serviceaccount:{names.HUB_NAMESPACE}:kubeslice-hub") as hub:
        assert await refusal(hub, HOME) == ""
    await admin.delete(r.CLUSTERS, "c", HOME)

    async def is_free() -> bool:
        return await refusal(admin, home) == ""

    await until(is_free)
