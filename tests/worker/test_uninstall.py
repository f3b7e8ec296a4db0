from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.model import names, resources
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.worker import uninstall
from tests.worker.clusters import CLUSTER, OWN_ON_HUB, PROJECT, SYSTEM, eventually
from tests.worker.stage import Stage
from tests.worker.test_forwarding import COREFILE, dns_of_the_cluster, dns_service, written

pytestmark = pytest.mark.api


async def test_nothing_of_the_operator_is_left_in_the_cluster_and_the_hub_can_clean_up(stage: Stage) -> None:
    await stage.own.create(resources.NAMESPACES, {"metadata": {"name": "shop", "labels": {"team": "a"}}})
    await dns_of_the_cluster(stage)
    await dns_service(stage)
    await stage.start()
    profile = {"applicationNamespaces": ["shop"], "isolationEnabled": True}
    await stage.slice(namespaceIsolationProfile=profile)
    await stage.gateway()
    await stage.offer("red", "shop", ("web-0", "worker-1", "10.1.0.70"))
    await stage.export()

    async def settled() -> Any:
        return (
            await stage.own_object(resources.SERVICEIMPORTS, "web", "shop")
            and await stage.own_object(resources.SLICEGATEWAYS, f"red-{CLUSTER}-worker-1")
            and await stage.hub_object(resources.SERVICEEXPORTCONFIGS, f"web-shop-{CLUSTER}")
            and await stage.own_object(resources.NETWORKPOLICIES, names.network_policy("red"), "shop")
            and await written(stage) != COREFILE
        )

    await eventually(settled)
    await stage.stop()
    await uninstall.leave_cluster(stage.own)
    await uninstall.leave_hub(stage.hub, Member(names.project_of(PROJECT), CLUSTER))

    assert await written(stage) == COREFILE
    for kind in (
        resources.SLICES,
        resources.SLICEGATEWAYS,
        resources.SECRETS,
        resources.SERVICES,
        resources.ROLES,
        resources.ROLEBINDINGS,
        resources.PODDISRUPTIONBUDGETS,
    ):
        left = [objects.name(obj) for obj in (await stage.own.list(kind, SYSTEM)).items]
        assert left in ([], [names.DNS_SERVICE])
    left = [objects.name(obj) for obj in (await stage.own.list(resources.DEPLOYMENTS, SYSTEM)).items]
    assert left == [names.DNS_SERVICE]
    assert (await stage.own.list(resources.NETWORKPOLICIES)).items == []
    namespace = await stage.own_object(resources.NAMESPACES, "shop", None)
    assert names.SLICE_LABEL not in objects.labels(namespace)
    assert objects.labels(namespace)["team"] == "a"
    assert (await stage.hub.list(resources.SERVICEEXPORTCONFIGS)).items == []
    for kind in (resources.WORKERSLICECONFIGS, resources.WORKERSLICEGATEWAYS, resources.WORKERSERVICEIMPORTS):
        assert [objects.finalizers(obj) for obj in (await stage.hub.list(kind)).items] == [[]]
    told = objects.status(await stage.hub_object(resources.CLUSTERS, CLUSTER, PROJECT))
    assert told["registrationStatus"] == "Deregistered"


async def test_an_operator_whose_cluster_is_deleted_cleans_up_says_so_and_ends(stage: Stage) -> None:
    await dns_of_the_cluster(stage)
    await dns_service(stage)
    operator = {"metadata": {"name": "kubeslice-worker", "namespace": SYSTEM}, "spec": operator_spec()}
    await stage.own.create(resources.DEPLOYMENTS, operator)
    await stage.start()
    await stage.slice()
    await eventually(lambda: stage.own_object(resources.SLICES, "red"))
    held = {"metadata": {"finalizers": [names.CLUSTER_FINALIZER]}}
    await stage.hub.patch(resources.CLUSTERS, CLUSTER, PROJECT, held)
    await stage.hub.delete(resources.CLUSTERS, CLUSTER, PROJECT)

    async def says(wanted: str) -> bool:
        found = await stage.hub_object(resources.CLUSTERS, CLUSTER, PROJECT)
        return bool(objects.status(found).get("registrationStatus") == wanted)

    await eventually(lambda: says("DeregisterInProgress"))
    assert await stage.own_object(resources.SLICES, "red"), "it stays while the hub wants it"
    await stage.hub.delete(resources.WORKERSLICECONFIGS, f"red-{CLUSTER}", OWN_ON_HUB)
    await eventually(lambda: says("Deregistered"))
    assert await stage.own_object(resources.SLICES, "red") is None
    assert await stage.hub_object(resources.WORKERSLICECONFIGS, f"red-{CLUSTER}") is None
    assert await written(stage) == COREFILE

    async def ended() -> bool:
        found = await stage.own_object(resources.DEPLOYMENTS, "kubeslice-worker")
        return bool(objects.spec(found)["replicas"] == 0)

    await eventually(ended)


def operator_spec() -> dict[str, Any]:
    """Return the least that a Deployment can have."""
    labels = {"app": "operator"}
    pod = {"containers": [{"name": "worker", "image": "kubeslice"}]}
    return {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
