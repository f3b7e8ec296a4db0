"""The controllers at work on a real API server: what a user of the cluster sees happen."""

import json
from typing import Any

import pytest

from kubeslice.kube import requests
from kubeslice.kube.requests import Request
from kubeslice.lab.controllers.garbage import Propagation
from kubeslice.lab.controllers.kinds import ENDPOINTS, REPLICASETS
from kubeslice.model.resources import (
    CONFIGMAPS,
    CRDS,
    DAEMONSETS,
    DEPLOYMENTS,
    ENDPOINTSLICES,
    NAMESPACES,
    NODES,
    PODS,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICES,
    Resource,
)
from tests.lab.controllers.cluster import Cluster
from tests.lab.controllers.made import container, daemonset, deployment, service

pytestmark = pytest.mark.api


async def available(cluster: Cluster, name: str = "web", count: Any = 2) -> Any:
    async def check() -> Any:
        found = await cluster.api.get(DEPLOYMENTS, name, "default")
        status = found.get("status") or {}
        is_seen = status.get("observedGeneration") == found["metadata"]["generation"]
        counts = {status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")}
        return found if is_seen and counts == {count} else None

    return await cluster.eventually(check)


async def count_of(cluster: Cluster, count: Any, **labels: Any) -> Any:
    async def check() -> Any:
        found = await cluster.pods(**labels)
        return len(found) == count

    assert await cluster.eventually(check)


async def delete(
    cluster: Cluster, resource: Any, name: str, propagation: Propagation, namespace: str = "default"
) -> None:
    body = json.dumps({"propagationPolicy": propagation}).encode()
    target = requests.path(resource, namespace, name)
    await cluster.api.send(Request("DELETE", target, body, {"content-type": "application/json"}))


async def test_a_deployment_runs_rolls_scales_and_goes(cluster: Cluster) -> None:
    await cluster.api.create(DEPLOYMENTS, deployment())
    found = await available(cluster)
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    first = await cluster.pods(app="web")
    assert {each["spec"]["nodeName"] for each in first} == {"n-1", "n-2"}

    restarted = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}
    await cluster.api.patch(DEPLOYMENTS, "web", "default", restarted)
    found = await available(cluster)
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    await count_of(cluster, 2, app="web")
    second = await cluster.pods(app="web")
    assert not {each["metadata"]["uid"] for each in first} & {each["metadata"]["uid"] for each in second}

    await cluster.api.patch(DEPLOYMENTS, "web", "default", {"spec": {"replicas": 5}})
    await available(cluster, count=5)
    await cluster.api.patch(DEPLOYMENTS, "web", "default", {"spec": {"replicas": 0}})
    await available(cluster, count=0)
    assert len((await cluster.api.list(REPLICASETS, "default")).items) == 2
    await cluster.api.delete(DEPLOYMENTS, "web", "default")
    for each in (await cluster.api.list(REPLICASETS, "default")).items:
        await cluster.is_gone(REPLICASETS, each["metadata"]["name"], "default")


async def test_a_rollout_that_cannot_work_leaves_what_works(cluster: Cluster) -> Any:
    await cluster.api.create(DEPLOYMENTS, deployment(replicas=4))
    await available(cluster, count=4)
    first = {each["metadata"]["uid"] for each in await cluster.pods(app="web")}
    cluster.kubelet.unready.add("web")
    await cluster.api.patch(
        DEPLOYMENTS, "web", "default", {"spec": {"template": {"metadata": {"annotations": {"v": "2"}}}}}
    )

    async def is_stuck() -> Any:
        status = (await cluster.api.get(DEPLOYMENTS, "web", "default"))["status"]
        return status.get("updatedReplicas") == 2 and status.get("availableReplicas") == 3

    await cluster.eventually(is_stuck)
    assert len(first & {each["metadata"]["uid"] for each in await cluster.pods(app="web")}) == 3


async def test_a_killed_pod_is_replaced_exactly_once(cluster: Cluster) -> None:
    await cluster.api.create(DEPLOYMENTS, deployment(replicas=3))
    await available(cluster, count=3)
    for each in await cluster.pods(app="web"):
        await cluster.api.delete(PODS, each["metadata"]["name"], "default", grace_seconds=0)
    await available(cluster, count=3)
    await count_of(cluster, 3, app="web")


async def test_recreate_never_runs_two_versions(cluster: Cluster) -> Any:
    await cluster.api.create(DEPLOYMENTS, deployment(replicas=1, strategy={"type": "Recreate"}))
    await available(cluster, count=1)
    (old,) = await cluster.pods(app="web")
    await cluster.api.patch(
        PODS, old["metadata"]["name"], "default", {"metadata": {"finalizers": ["example.com/hold"]}}
    )
    await cluster.api.patch(
        DEPLOYMENTS, "web", "default", {"spec": {"template": {"metadata": {"annotations": {"v": "2"}}}}}
    )

    async def is_leaving() -> Any:
        (only,) = await cluster.pods(app="web")
        return only["metadata"].get("deletionTimestamp")

    await cluster.eventually(is_leaving)
    await cluster.api.patch(PODS, old["metadata"]["name"], "default", {"metadata": {"finalizers": None}})
    await available(cluster, count=1)


async def test_a_daemon_set_follows_the_nodes(cluster: Cluster) -> Any:
    await cluster.api.create(DAEMONSETS, daemonset())
    await count_of(cluster, 2, app="agent")
    await cluster.add_node("n-3")
    await count_of(cluster, 3, app="agent")

    async def is_complete() -> Any:
        status = (await cluster.api.get(DAEMONSETS, "agent", "default")).get("status") or {}
        return [status.get(key) for key in ("desiredNumberScheduled", "numberAvailable", "updatedNumberScheduled")] == [
            3
        ] * 3

    await cluster.eventually(is_complete)
    before = {each["metadata"]["uid"] for each in await cluster.pods(app="agent")}
    await cluster.api.patch(
        DAEMONSETS, "agent", "default", {"spec": {"template": {"metadata": {"annotations": {"v": "2"}}}}}
    )

    async def is_renewed() -> Any:
        found = {each["metadata"]["uid"] for each in await cluster.pods(app="agent")}
        return len(found) == 3 and not found & before

    await cluster.eventually(is_renewed)
    await cluster.api.delete(NODES, "n-3")
    await count_of(cluster, 2, app="agent")


async def test_a_pod_waits_for_a_node_and_says_why(cluster: Cluster) -> Any:
    for name in ("n-1", "n-2"):
        await cluster.api.patch(NODES, name, None, {"spec": {"unschedulable": True}})
    await cluster.api.create(
        PODS, {"metadata": {"name": "p", "namespace": "default"}, "spec": {"containers": [container()]}}
    )

    async def reason() -> Any:
        conditions = (await cluster.api.get(PODS, "p", "default"))["status"].get("conditions") or []
        return next((each.get("message") for each in conditions if each["type"] == "PodScheduled"), None)

    assert await cluster.eventually(reason) == "0/2 nodes are available: 2 node(s) were unschedulable."
    await cluster.api.patch(NODES, "n-2", None, {"spec": {"unschedulable": None}})

    async def home() -> Any:
        return (await cluster.api.get(PODS, "p", "default"))["spec"].get("nodeName")

    assert await cluster.eventually(home) == "n-2"


async def test_endpoints_follow_readiness(cluster: Cluster) -> Any:
    await cluster.api.create(SERVICES, service())
    await cluster.api.create(DEPLOYMENTS, deployment())
    await available(cluster)

    async def endpoints(ready: Any) -> Any:
        found = (await cluster.api.list(ENDPOINTSLICES, "default", labels="kubernetes.io/service-name=web")).items
        listed = [entry for each in found for entry in each.get("endpoints") or []]
        return listed if [entry["conditions"]["ready"] for entry in listed].count(True) == ready else None

    assert len(await cluster.eventually(lambda: endpoints(2))) == 2
    pod = (await cluster.pods(app="web"))[0]
    await cluster.kubelet.report(pod, is_ready=False)
    assert len(await cluster.eventually(lambda: endpoints(1))) == 2
    older = await cluster.api.get(ENDPOINTS, "web", "default")
    assert [len(older["subsets"][0][key]) for key in ("addresses", "notReadyAddresses")] == [1, 1]
    await cluster.api.delete(SERVICES, "web", "default")
    await cluster.is_gone(ENDPOINTS, "web", "default")

    async def is_empty() -> Any:
        return not (await cluster.api.list(ENDPOINTSLICES, "default", labels="kubernetes.io/service-name=web")).items

    await cluster.eventually(is_empty)


async def test_the_api_server_is_a_service(cluster: Cluster) -> None:
    found = await cluster.eventually(lambda: cluster.api.get(ENDPOINTSLICES, "kubernetes", "default"))
    assert found["endpoints"][0]["addresses"] == ["172.31.0.11"]


async def test_foreground_deletion_waits_for_the_dependents_and_orphans_stay(cluster: Cluster) -> None:
    await cluster.api.create(DEPLOYMENTS, deployment())
    await available(cluster)
    (pod, _) = await cluster.pods(app="web")
    await cluster.api.patch(
        PODS, pod["metadata"]["name"], "default", {"metadata": {"finalizers": ["example.com/hold"]}}
    )
    await delete(cluster, DEPLOYMENTS, "web", "Foreground")
    await count_of(cluster, 1, app="web")
    assert (await cluster.api.get(DEPLOYMENTS, "web", "default"))["metadata"]["finalizers"] == ["foregroundDeletion"]
    await cluster.api.patch(PODS, pod["metadata"]["name"], "default", {"metadata": {"finalizers": None}})
    await cluster.is_gone(DEPLOYMENTS, "web", "default")

    await cluster.api.create(DEPLOYMENTS, deployment("db"))
    await available(cluster, "db")
    await delete(cluster, DEPLOYMENTS, "db", "Orphan")
    await cluster.is_gone(DEPLOYMENTS, "db", "default")
    (kept,) = (await cluster.api.list(REPLICASETS, "default")).items
    assert not kept["metadata"].get("ownerReferences")
    await cluster.api.create(DEPLOYMENTS, deployment("db"))
    await available(cluster, "db")
    assert (await cluster.api.get(REPLICASETS, kept["metadata"]["name"], "default"))["metadata"]["ownerReferences"]


async def test_an_object_whose_owner_never_was_is_collected(cluster: Cluster) -> None:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "ghost", "uid": "00000000-0000-0000-0000-000000000000"}
    metadata = {"name": "orphan", "namespace": "default", "ownerReferences": [owner]}
    await cluster.api.create(SECRETS, {"metadata": metadata})
    await cluster.is_gone(SECRETS, "orphan", "default")


async def test_a_namespace_goes_with_everything_in_it_and_says_what_it_waits_for(cluster: Cluster) -> Any:
    widgets = Resource("example.com", "v1", "Widget", "widgets")
    await cluster.api.create(CRDS, definition(widgets))

    async def is_served() -> Any:
        found = await cluster.api.get(CRDS, widgets.crd_name)
        return [each for each in found["status"]["conditions"] if each["type"] == "Established"]

    await cluster.eventually(is_served)
    await cluster.api.create(NAMESPACES, {"metadata": {"name": "shop"}})
    await cluster.eventually(lambda: cluster.api.get(SERVICEACCOUNTS, "default", "shop"))
    authority = await cluster.eventually(lambda: cluster.api.get(CONFIGMAPS, "kube-root-ca.crt", "shop"))
    assert authority["data"] == {"ca.crt": "PEM"}
    await cluster.api.create(DEPLOYMENTS, deployment(namespace="shop"))
    metadata = {"name": "w", "namespace": "shop", "finalizers": ["example.com/hold"]}
    await cluster.api.create(widgets, {"metadata": metadata})
    await cluster.api.delete(NAMESPACES, "shop")

    async def held() -> Any:
        conditions = (await cluster.api.get(NAMESPACES, "shop"))["status"].get("conditions") or []
        found = {each["type"]: each for each in conditions}
        waits = found.get("NamespaceFinalizersRemaining")
        only = (
            found.get("NamespaceContentRemaining", {})
            .get("message", "")
            .endswith("remaining: widgets.example.com has 1 resource instances")
        )
        return waits if only else None

    assert "example.com/hold in 1 resource instances" in (await cluster.eventually(held))["message"]
    await cluster.api.patch(widgets, "w", "shop", {"metadata": {"finalizers": None}})
    await cluster.is_gone(NAMESPACES, "shop")


async def test_the_authority_is_restored_when_somebody_changes_it(cluster: Cluster) -> Any:
    await cluster.eventually(lambda: cluster.api.get(CONFIGMAPS, "kube-root-ca.crt", "default"))
    await cluster.api.patch(CONFIGMAPS, "kube-root-ca.crt", "default", {"data": {"ca.crt": "evil"}})

    async def is_right() -> Any:
        return (await cluster.api.get(CONFIGMAPS, "kube-root-ca.crt", "default"))["data"] == {"ca.crt": "PEM"}

    await cluster.eventually(is_right)


def definition(resource: Any) -> Any:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "metadata": {"name": resource.crd_name},
        "spec": {
            "group": resource.group,
            "scope": "Namespaced",
            "names": {"kind": resource.kind, "plural": resource.plural, "singular": "widget", "listKind": "WidgetList"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
