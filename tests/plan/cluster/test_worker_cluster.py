from typing import Any

import pytest

from kubeslice.model.cluster import Cluster
from kubeslice.plan.cluster import worker_cluster


def node(name: Any, *addresses: Any, ready: Any = True, gateway: Any = False, cidr: Any = "") -> Any:
    return {
        "metadata": {"name": name, "labels": {"kubeslice.io/node-type": "gateway"} if gateway else {}},
        "spec": {"podCIDR": cidr} if cidr else {},
        "status": {
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "addresses": [{"type": kind, "address": address} for kind, address in addresses],
        },
    }


IN_1, EX_1 = ("InternalIP", "10.0.0.1"), ("ExternalIP", "203.0.113.1")
IN_2 = ("InternalIP", "10.0.0.2")


@pytest.mark.parametrize(
    ("nodes", "given", "result"),
    [
        ([node("a", IN_1), node("b", IN_2)], [], {"a": "10.0.0.1", "b": "10.0.0.2"}),
        ([node("a", IN_1, EX_1), node("b", IN_2)], [], {"a": "203.0.113.1"}),
        ([node("a", IN_1, ready=False), node("b", IN_2)], [], {"b": "10.0.0.2"}),
        ([node("a", IN_1), node("b", IN_2, gateway=True)], [], {"b": "10.0.0.2"}),
        ([node("a", IN_1)], ["198.51.100.7"], {"198.51.100.7": "198.51.100.7"}),
        ([node("a", IN_1), node("b", IN_2)], ["10.0.0.2"], {"b": "10.0.0.2"}),
        ([], [], {}),
    ],
)
def test_the_addresses_of_the_gateways(nodes: Any, given: Any, result: Any) -> None:
    cluster = Cluster.parse({"metadata": {"name": "c"}, "spec": {"nodeIPs": given}})
    assert worker_cluster.node_addresses(nodes, cluster) == result


def test_pod_networks_are_those_of_the_nodes() -> None:
    assert worker_cluster.pod_networks(
        [node("b", cidr="10.244.2.0/24"), node("a", cidr="10.244.1.0/24"), node("c")]
    ) == [
        "10.244.1.0/24",
        "10.244.2.0/24",
    ]


def test_the_inventory_leaves_out_the_namespaces_of_the_cluster_itself() -> None:
    seen: list[dict[str, Any]] = [
        {"metadata": {"name": "shop", "labels": {"kubeslice.io/slice": "red"}}},
        {"metadata": {"name": "kube-system"}},
        {"metadata": {"name": "bank"}},
    ]
    assert [line.wire() for line in worker_cluster.namespaces(seen)] == [
        {"name": "bank"},
        {"name": "shop", "sliceName": "red"},
    ]


def test_health_names_the_parts_and_keeps_its_time_while_nothing_changes() -> None:
    agents = {"status": {"desiredNumberScheduled": 2, "numberReady": 2}}
    parts = worker_cluster.component_health(
        agents, {"dns": {"status": {"readyReplicas": 1}}, "webhook": None}, {"a": "1"}
    )
    assert parts == {"agent": "Normal", "dns": "Normal", "webhook": "Error", "node-ips": "Normal"}
    first = worker_cluster.cluster_health(parts, {}, "2030-01-01T00:00:00Z")
    assert first["clusterHealthStatus"] == "Warning"
    assert worker_cluster.cluster_health(parts, first, "2031-01-01T00:00:00Z") == first
    finding = worker_cluster.connection(parts)
    assert (finding.status, finding.message) == (
        "False",
        "webhook not ready: see the pods in kubeslice-system of the cluster",
    )
    assert not worker_cluster.is_complete({"status": {"desiredNumberScheduled": 2, "numberReady": 1}})
    assert not worker_cluster.is_complete(None)


def test_a_registration_is_in_progress_until_the_cluster_can_be_in_slices() -> None:
    new: dict[str, Any] = {"metadata": {}}
    agents = {"status": {"desiredNumberScheduled": 2, "numberReady": 1}}
    for seen, addresses, words in (
        (None, {}, ["a node that is ready", "an agent that runs"]),
        (agents, {}, ["a node that is ready"]),
        (None, {"a": "10.0.0.1"}, ["an agent that runs"]),
    ):
        lacking = worker_cluster.missing(new, seen, addresses)
        assert [word in sentence for word, sentence in zip(words, lacking, strict=True)] == [True] * len(words)
        assert worker_cluster.registration(new, [], lacking) == "InProgress"
        told = worker_cluster.registered("InProgress", lacking)
        assert (told.status, words[0] in told.message) == ("False", True)
    assert worker_cluster.missing(new, agents, {"a": "10.0.0.1"}) == []
    assert worker_cluster.registration(new, []) == "Registered"


def test_what_was_registered_stays_so_until_it_leaves() -> None:
    old: dict[str, Any] = {"metadata": {}, "status": {"registrationStatus": "Registered"}}
    lacking = worker_cluster.missing(old, None, {})
    said = worker_cluster.registration(old, [], lacking)
    assert (said, worker_cluster.registered(said, lacking).status) == ("Registered", "True")
    leaving = {**old, "metadata": {"deletionTimestamp": "2026"}}
    for left in (["slice red"], []):
        said = worker_cluster.registration(leaving, left, lacking)
        told = worker_cluster.registered(said, lacking, left)
        assert said == ("DeregisterInProgress" if left else "Deregistered") == told.reason
        assert (told.status, "slice red" in told.message) == ("False", bool(left))
