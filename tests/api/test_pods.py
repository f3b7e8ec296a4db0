"""Pods: what they are born with, how they get a node, how they end."""

from typing import Any

import pytest

from tests.api.client import MERGE_PATCH, STRATEGIC_PATCH, Client

pytestmark = pytest.mark.api


def path(namespace: str, rest: str = "") -> str:
    return f"/api/v1/namespaces/{namespace}/pods" + (f"/{rest}" if rest else "")


def pod(name: str, **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    container = {"name": "main", "image": "example.com/app:1"}
    return {"metadata": {"name": name, "labels": labels}, "spec": {"containers": [container]} | spec}


def binding(name: str, node: str = "nowhere") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": name},
        "target": {"kind": "Node", "name": node},
    }


async def test_a_pod_is_born_with_defaults(api: Client, namespace: str) -> None:
    made = (await api.create(path(namespace), pod("a"))).expect(201)
    spec = made["spec"]
    assert spec["restartPolicy"] == "Always"
    assert spec["dnsPolicy"] == "ClusterFirst"
    assert spec["terminationGracePeriodSeconds"] == 30
    assert spec["schedulerName"] == "default-scheduler"
    assert spec["enableServiceLinks"] is True
    assert spec["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert spec["containers"][0]["terminationMessagePath"] == "/dev/termination-log"
    assert made["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    tolerated = {(one["key"], one["effect"], one["tolerationSeconds"]) for one in spec["tolerations"]}
    assert ("node.kubernetes.io/not-ready", "NoExecute", 300) in tolerated


async def test_a_pod_gets_and_keeps_to_what_a_limit_range_says(api: Client, namespace: str) -> None:
    item = {"type": "Container", "defaultRequest": {"cpu": "10m"}, "max": {"cpu": "1"}}
    ranges = f"/api/v1/namespaces/{namespace}/limitranges"
    (await api.create(ranges, {"metadata": {"name": "r"}, "spec": {"limits": [item]}})).expect(201)
    made = (await api.create(path(namespace), pod("a"))).expect(201)
    assert made["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "10m"}, "limits": {"cpu": "1"}}
    greedy = {"name": "main", "image": "example.com/app:1", "resources": {"limits": {"cpu": "2"}}}
    refusal = (await api.create(path(namespace), pod("b", containers=[greedy]))).expect(403)
    assert "maximum cpu usage per Container is 1, but limit is 2" in refusal["message"]


async def test_a_pod_gets_a_token_of_its_account(api: Client, namespace: str) -> None:
    spec = (await api.create(path(namespace), pod("a"))).expect(201)["spec"]
    assert spec["serviceAccountName"] == spec["serviceAccount"] == "default"
    (mount,) = spec["containers"][0]["volumeMounts"]
    assert mount["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount"
    assert mount["name"].startswith("kube-api-access-")
    (volume,) = spec["volumes"]
    sources = volume["projected"]["sources"]
    assert [next(iter(source)) for source in sources] == ["serviceAccountToken", "configMap", "downwardAPI"]
    assert sources[1]["configMap"]["name"] == "kube-root-ca.crt"


async def test_a_pod_can_do_without_a_token(api: Client, namespace: str) -> None:
    spec = (await api.create(path(namespace), pod("a", automountServiceAccountToken=False))).expect(201)["spec"]
    assert "volumes" not in spec


async def test_a_pod_needs_an_account_that_exists(api: Client, namespace: str) -> None:
    reply = await api.create(path(namespace), pod("a", serviceAccountName="missing"))
    assert reply.expect(403)["message"] == (
        f'pods "a" is forbidden: error looking up service account {namespace}/missing:'
        ' serviceaccount "missing" not found'
    )


async def test_a_pod_is_bound_to_a_node_once(api: Client, namespace: str) -> None:
    made = (await api.create(path(namespace), pod("a"))).expect(201)
    bound = (await api.create(path(namespace, "a/binding"), binding("a"))).expect(201)
    assert bound["status"] == "Success"
    found = (await api.get(path(namespace, "a"))).expect()
    assert found["spec"]["nodeName"] == "nowhere"
    assert found["metadata"]["generation"] == made["metadata"]["generation"]
    assert found["metadata"]["managedFields"] == made["metadata"]["managedFields"]
    assert [one["status"] for one in found["status"]["conditions"] if one["type"] == "PodScheduled"] == ["True"]
    again = await api.create(path(namespace, "a/binding"), binding("a"))
    assert again.expect(409)["message"].endswith('pod a is already assigned to node "nowhere"')
    chosen = await api.get(path(namespace), fieldSelector="spec.nodeName=nowhere")
    assert [one["metadata"]["name"] for one in chosen.expect()["items"]] == ["a"]
    assert (await api.get(path(namespace), fieldSelector="spec.nodeName=")).expect()["items"] == []


async def test_little_of_a_pod_can_change(api: Client, namespace: str) -> None:
    await api.create(path(namespace), pod("a"))
    image = {"spec": {"containers": [{"name": "main", "image": "example.com/app:2"}]}}
    done = (await api.patch(path(namespace, "a"), STRATEGIC_PATCH, image)).expect()
    assert done["spec"]["containers"][0]["image"] == "example.com/app:2"
    moved = await api.patch(path(namespace, "a"), MERGE_PATCH, {"spec": {"hostname": "other"}})
    assert "pod updates may not change fields other than" in moved.expect(422)["message"]


async def test_status_and_spec_are_written_apart(api: Client, namespace: str) -> None:
    await api.create(path(namespace), pod("a"))
    ignored = (await api.patch(path(namespace, "a"), MERGE_PATCH, {"status": {"phase": "Running"}})).expect()
    assert ignored["status"]["phase"] == "Pending"
    change = {"status": {"phase": "Running"}, "spec": {"hostname": "other"}}
    done = (await api.patch(path(namespace, "a/status"), MERGE_PATCH, change)).expect()
    assert done["status"]["phase"] == "Running"
    assert "hostname" not in done["spec"]
    running = (await api.get(path(namespace), fieldSelector="status.phase=Running")).expect()
    assert len(running["items"]) == 1


async def test_a_pod_on_a_node_is_given_time_to_end(api: Client, namespace: str) -> None:
    await api.create(path(namespace), pod("a"))
    await api.create(path(namespace, "a/binding"), binding("a"))
    going = (await api.delete(path(namespace, "a"))).expect()
    assert going["metadata"]["deletionGracePeriodSeconds"] == 30
    sooner = (await api.delete(path(namespace, "a"), {"gracePeriodSeconds": 5})).expect()
    assert sooner["metadata"]["deletionGracePeriodSeconds"] == 5
    assert sooner["metadata"]["deletionTimestamp"] < going["metadata"]["deletionTimestamp"]
    later = (await api.delete(path(namespace, "a"), {"gracePeriodSeconds": 60})).expect()
    assert later["metadata"]["deletionGracePeriodSeconds"] == 5
    gone = (await api.delete(path(namespace, "a"), {"gracePeriodSeconds": 0})).expect()
    assert gone["metadata"]["deletionGracePeriodSeconds"] == 0
    assert (await api.get(path(namespace, "a"))).code == 404


async def test_a_pod_without_a_node_is_gone_at_once(api: Client, namespace: str) -> None:
    await api.create(path(namespace), pod("a"))
    (await api.delete(path(namespace, "a"))).expect()
    assert (await api.get(path(namespace, "a"))).code == 404


async def test_an_eviction_deletes(api: Client, namespace: str) -> None:
    await api.create(path(namespace), pod("a"))
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a", "namespace": namespace}}
    assert (await api.create(path(namespace, "a/eviction"), eviction)).expect(201)["status"] == "Success"
    assert (await api.get(path(namespace, "a"))).code == 404


async def test_a_pod_without_a_node_has_no_log(api: Client, namespace: str) -> None:
    await api.create(path(namespace), pod("a"))
    assert (await api.get(path(namespace, "a/log"))).code == 204
    missing = await api.get(path(namespace, "a/log"), container="other")
    assert missing.expect(400)["message"] == "container other is not valid for pod a"
