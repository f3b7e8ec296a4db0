"""Deployments and the like: defaults, generations, status, scale, tables."""

from typing import Any

import pytest

from tests.api.client import MERGE_PATCH, Client

pytestmark = pytest.mark.api

TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}


def path(namespace: str, rest: str = "", plural: str = "deployments") -> str:
    return f"/apis/apps/v1/namespaces/{namespace}/{plural}" + (f"/{rest}" if rest else "")


def workload(name: str, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "main", "image": "a:1"}]}}
    return {
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template} | spec,
    }


async def test_a_deployment_is_born_with_defaults(api: Client, namespace: str) -> None:
    made = (await api.create(path(namespace), workload("a") | {"status": {"replicas": 5}})).expect(201)
    assert made["metadata"]["generation"] == 1
    assert made["spec"]["replicas"] == 1
    assert made["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
    }
    assert made["spec"]["revisionHistoryLimit"] == 10
    assert made["spec"]["progressDeadlineSeconds"] == 600
    assert made["spec"]["template"]["spec"]["restartPolicy"] == "Always"
    assert made["status"] == {}


async def test_daemon_sets_and_stateful_sets_have_defaults(api: Client, namespace: str) -> None:
    daemons = (await api.create(path(namespace, plural="daemonsets"), workload("a"))).expect(201)
    assert daemons["spec"]["updateStrategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0},
    }
    states = (await api.create(path(namespace, plural="statefulsets"), workload("a", serviceName="a"))).expect(201)
    assert states["spec"]["podManagementPolicy"] == "OrderedReady"
    assert states["spec"]["replicas"] == 1


async def test_a_generation_counts_changes_of_the_spec(api: Client, namespace: str) -> None:
    await api.create(path(namespace), workload("a"))
    labelled = (await api.patch(path(namespace, "a"), MERGE_PATCH, {"metadata": {"labels": {"x": "y"}}})).expect()
    assert labelled["metadata"]["generation"] == 1
    scaled = (await api.patch(path(namespace, "a"), MERGE_PATCH, {"spec": {"replicas": 2}})).expect()
    assert scaled["metadata"]["generation"] == 2
    observed = {"status": {"observedGeneration": 2}}
    done = (await api.patch(path(namespace, "a/status"), MERGE_PATCH, observed)).expect()
    assert done["metadata"]["generation"] == 2
    assert done["status"]["observedGeneration"] == 2


async def test_a_deployment_is_scaled_by_its_scale(api: Client, namespace: str) -> None:
    await api.create(path(namespace), workload("a"))
    scale = (await api.get(path(namespace, "a/scale"))).expect()
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert scale["spec"] == {"replicas": 1}
    assert scale["status"] == {"replicas": 0, "selector": "app=a"}
    scale["spec"]["replicas"] = 4
    assert (await api.update(path(namespace, "a/scale"), scale)).expect()["spec"] == {"replicas": 4}
    patched = await api.patch(path(namespace, "a/scale"), MERGE_PATCH, {"spec": {"replicas": 3}})
    assert patched.expect()["spec"] == {"replicas": 3}
    assert (await api.get(path(namespace, "a"))).expect()["spec"]["replicas"] == 3
    stale = await api.update(path(namespace, "a/scale"), scale)
    assert stale.expect(409)["reason"] == "Conflict"


async def test_a_selector_is_for_life_and_must_fit(api: Client, namespace: str) -> None:
    misfit = workload("b", selector={"matchLabels": {"app": "other"}})
    reply = await api.create(path(namespace), misfit)
    assert reply.expect(422)["details"]["causes"][0]["field"] == "spec.template.metadata.labels"
    await api.create(path(namespace), workload("a"))
    other = workload("a")
    other["spec"]["selector"] = {"matchLabels": {"app": "a", "x": "y"}}
    other["spec"]["template"]["metadata"]["labels"] = {"app": "a", "x": "y"}
    changed = await api.update(path(namespace, "a"), other)
    assert "field is immutable" in changed.expect(422)["message"]


async def test_what_kubectl_shows_is_computed_by_the_server(api: Client, namespace: str) -> None:
    await api.create(path(namespace), workload("a", replicas=2))
    table = (await api.request("GET", path(namespace), headers=TABLE)).expect()
    assert table["kind"] == "Table"
    names = [column["name"] for column in table["columnDefinitions"] if column["priority"] == 0]
    assert names == ["Name", "Ready", "Up-to-date", "Available", "Age"]
    (row,) = table["rows"]
    assert row["cells"][:4] == ["a", "0/2", 0, 0]
    assert row["cells"][5:] == ["main", "a:1", "app=a"]
    assert row["object"]["kind"] == "PartialObjectMetadata"
    whole = (await api.request("GET", path(namespace), headers=TABLE, includeObject="Object")).expect()
    assert whole["rows"][0]["object"]["spec"]["replicas"] == 2
    bare = (await api.request("GET", path(namespace, "a"), headers=TABLE, includeObject="None")).expect()
    assert "object" not in bare["rows"][0] or bare["rows"][0]["object"] is None


@pytest.mark.parametrize(
    ("where", "columns"),
    [
        ("/api/v1/namespaces/{}/pods", ["Name", "Ready", "Status", "Restarts", "Age"]),
        ("/api/v1/namespaces/{}/services", ["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age"]),
        ("/api/v1/namespaces/{}/secrets", ["Name", "Type", "Data", "Age"]),
        ("/api/v1/namespaces/{}/configmaps", ["Name", "Data", "Age"]),
        ("/api/v1/namespaces/{}/serviceaccounts", ["Name", "Secrets", "Age"]),
        ("/api/v1/namespaces/{}/endpoints", ["Name", "Endpoints", "Age"]),
        ("/api/v1/namespaces/{}/events", ["Last Seen", "Type", "Reason", "Object", "Message"]),
        ("/api/v1/namespaces", ["Name", "Status", "Age"]),
        ("/api/v1/nodes", ["Name", "Status", "Roles", "Age", "Version"]),
        ("/apis/apps/v1/replicasets", ["Name", "Desired", "Current", "Ready", "Age"]),
        (
            "/apis/apps/v1/daemonsets",
            ["Name", "Desired", "Current", "Ready", "Up-to-date", "Available", "Node Selector", "Age"],
        ),
        ("/apis/apps/v1/statefulsets", ["Name", "Ready", "Age"]),
        ("/apis/batch/v1/jobs", ["Name", "Status", "Completions", "Duration", "Age"]),
        ("/apis/coordination.k8s.io/v1/leases", ["Name", "Holder", "Age"]),
        ("/apis/discovery.k8s.io/v1/endpointslices", ["Name", "AddressType", "Ports", "Endpoints", "Age"]),
        ("/apis/networking.k8s.io/v1/networkpolicies", ["Name", "Pod-Selector", "Age"]),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles", ["Name", "Created At"]),
        ("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", ["Name", "Role", "Age"]),
        ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", ["Name", "Created At"]),
        ("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", ["Name", "Webhooks", "Age"]),
        (
            "/apis/policy/v1/poddisruptionbudgets",
            ["Name", "Min Available", "Max Unavailable", "Allowed Disruptions", "Age"],
        ),
        ("/apis/scheduling.k8s.io/v1/priorityclasses", ["Name", "Value", "Global-Default", "Age", "PreemptionPolicy"]),
    ],
)
async def test_tables_have_the_usual_columns(api: Client, namespace: str, where: str, columns: list[str]) -> None:
    table = (await api.request("GET", where.format(namespace), headers=TABLE)).expect()
    assert [column["name"] for column in table["columnDefinitions"] if column["priority"] == 0] == columns
