import json
from dataclasses import replace
from typing import Any

import pytest

from kubeslice.plan import findings
from kubeslice.plan.cluster import worker_parts, worker_report
from kubeslice.plan.cluster.worker_parts import View
from kubeslice.plan.cluster.worker_report import Report


def pod(
    name: Any,
    role: Any,
    *,
    node: Any = "n1",
    address: Any = "10.1.0.2",
    ready: Any = True,
    plane: Any = None,
    number: Any = 0,
) -> Any:
    labels = {"kubeslice.io/slice": "red", "kubeslice.io/pod-type": role}
    if role == "router":
        labels["kubeslice.io/router"] = str(number)
    if plane is not None:
        labels["kubeslice.io/plane"] = str(plane)
    network = [{"name": "kubeslice-system/red", "ips": [address]}] if address else []
    return {
        "metadata": {
            "name": name,
            "namespace": "kubeslice-system",
            "labels": labels,
            "annotations": {"k8s.v1.cni.cncf.io/network-status": json.dumps(network)},
        },
        "spec": {"nodeName": node},
        "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}], "podIP": "10.244.1.2"},
    }


SLICE: dict[str, Any] = {"metadata": {"name": "red"}, "spec": {"clusterSubnet": "10.1.0.0/18", "gatewayReplicas": 1}}
ROUTER = pod("router", "router")
ROUTERS = [ROUTER, pod("router-1", "router", number=1)]
GATEWAY = pod("gw", "slicegateway", plane=0, node="n2")
APP = pod("web-0", "app", address="10.1.0.70")
SERVICE: dict[str, Any] = {
    "metadata": {"name": "slice-gateway-red-0"},
    "spec": {"ports": [{"port": 51820, "nodePort": 30000}, {"port": 51821, "nodePort": 30001}]},
}
KEYS = {0: {"publicKey-1": "key"}}


def gateway(remote: Any, *states: Any) -> Any:
    planes = [{"plane": plane, "state": state} for plane, state in enumerate(states)]
    return {"spec": {"remoteCluster": remote}, "status": {"planes": planes}}


def test_a_slice_that_works_says_what_there_is() -> None:
    view = View(SLICE, [ROUTER, GATEWAY, APP], [gateway("worker-2", "UP")])
    found = worker_report.readiness(view)
    assert (found.status, found.message) == ("True", "1 pod on the slice, 1 of 1 tunnel up")


@pytest.mark.parametrize(
    ("pods", "gateways", "dns", "reason", "words"),
    [
        ([], [], True, "RouterNotReady", "router 0 has no pod yet"),
        (
            [pod("r", "router", node="", ready=False)],
            [],
            True,
            "RouterNotReady",
            "has no node yet: see the events of pod",
        ),
        (
            [pod("r", "router", address="", ready=False)],
            [],
            True,
            "RouterNotReady",
            "waits for its interface on the slice",
        ),
        ([ROUTER], [], True, "GatewayNotReady", "the gateway of plane 0 has no pod yet"),
        ([ROUTER, GATEWAY], [gateway("b", "UP"), gateway("c", "DOWN")], True, "TunnelDown", "no tunnel is up to c"),
        ([ROUTER, GATEWAY], [], False, "DnsNotReady", "names of services do not resolve"),
    ],
)
def test_the_first_thing_that_is_missing_is_named(pods: Any, gateways: Any, dns: Any, reason: Any, words: Any) -> None:
    found = worker_report.readiness(View(SLICE, pods, gateways, is_dns_ready=dns))
    assert (found.status, found.reason) == ("False", reason)
    assert words in found.message


RELAYED = {"spec": {"remoteCluster": "c", "relay": "b"}, "status": gateway("c", "DOWN", "DOWN")["status"]}
TWO_PLANES = {**SLICE, "spec": SLICE["spec"] | {"gatewayReplicas": 2}}
GATEWAYS = [GATEWAY, pod("gw-1", "slicegateway", plane=1)]


@pytest.mark.parametrize(
    ("pods", "gateways", "status", "reason", "words"),
    [
        ([*ROUTERS, *GATEWAYS], [gateway("b", "UP", "UP")], "False", "NothingMissing", "every part"),
        ([ROUTER, *GATEWAYS], [], "True", "WaitingForRouter", "router 1 has no pod yet"),
        ([*ROUTERS, GATEWAY], [], "True", "WaitingForGateway", "the gateway of plane 1 has no pod yet"),
        ([*ROUTERS, *GATEWAYS], [gateway("b", "UP", "DOWN")], "True", "TunnelDegraded", "not every tunnel is up to b"),
        ([*ROUTERS, *GATEWAYS], [RELAYED], "True", "TunnelDegraded", "not every tunnel is up to c"),
    ],
)
def test_what_is_missing_while_something_else_does_its_work_is_degradation(
    pods: Any, gateways: Any, status: Any, reason: Any, words: Any
) -> None:
    view = View(TWO_PLANES, pods, gateways)
    found = worker_report.degradation(view)
    assert (found.type, found.status, found.reason) == ("Degraded", status, reason)
    assert words in found.message
    assert worker_report.readiness(view).status == "True"
    health = worker_parts.slice_health(view, {}, "2030-01-01T00:00:00Z")
    worst = {entry["componentHealthStatus"] for entry in health["componentStatuses"]}
    assert worst == ({"Normal"} if status == "False" else {"Normal", "Warning"})


def test_a_load_balancer_without_address_is_named() -> None:
    service = {**SERVICE, "spec": {**SERVICE["spec"], "type": "LoadBalancer"}}
    found = worker_report.degradation(View(SLICE, [*ROUTERS, GATEWAY], [], [service]))
    assert (found.reason, "see Service kubeslice-system/slice-gateway-red-0" in found.message) == (
        "WaitingForLoadBalancer",
        True,
    )


def test_a_slice_without_network_needs_no_router() -> None:
    view = View({"metadata": {"name": "red"}, "spec": {"namespaces": ["shop"]}}, [], [])
    assert worker_report.readiness(view).message == "1 namespace onboarded"
    assert worker_report.gateways(view) == []


def test_the_node_of_the_gateway_pod_comes_first_and_an_address_once() -> None:
    view = View(SLICE, [GATEWAY], [], [SERVICE], KEYS, {"n1": "172.31.1.11", "n2": "172.31.1.12", "n3": "172.31.1.11"})
    assert [line.wire() for line in worker_report.gateways(view)] == [
        {
            "plane": 0,
            "generation": 1,
            "publicKey": "key",
            "endpoints": ["172.31.1.12:30001", "172.31.1.11:30001"],
            "pod": "gw",
            "node": "n2",
        }
    ]


def test_the_place_of_a_pod_that_is_being_replaced_stays_first() -> None:
    addresses = {"n1": "172.31.1.11", "n2": "172.31.1.12"}
    for pods in ([], [pod("gw", "slicegateway", plane=0, node="")]):
        view = View(SLICE, pods, [], [SERVICE], KEYS, addresses, last_nodes={0: "n2"})
        assert worker_report.gateways(view)[0].endpoints == ["172.31.1.12:30001", "172.31.1.11:30001"]


def test_ipv6_endpoints_are_written_in_brackets() -> None:
    view = View(SLICE, [GATEWAY], [], [SERVICE], KEYS, {"n1": "fd00::1"})
    assert worker_report.endpoints(view, 0, 1, "n1") == ["[fd00::1]:30001"]


def test_each_generation_in_force_has_its_own_key_request_and_port() -> None:
    spec = SLICE["spec"] | {"gatewayType": "OpenVPN", "gatewayKeys": [{"plane": 0, "generations": [2, 3]}]}
    secret = {"publicKey-1": "gone", "publicKey-2": "old", "publicKey-3": "new", "tls-3.csr": "request"}
    view = View({**SLICE, "spec": spec}, [GATEWAY], [], [SERVICE], {0: secret}, {"n2": "172.31.1.12"})
    lines = worker_report.gateways(view)
    assert [(line.generation, line.public_key, line.certificate_request, line.endpoints) for line in lines] == [
        (2, "old", "", ["172.31.1.12:30000"]),
        (3, "new", "request", ["172.31.1.12:30001"]),
    ]


def test_a_load_balancer_is_reached_at_its_own_addresses_and_ports() -> None:
    balanced = {**SERVICE, "spec": {**SERVICE["spec"], "type": "LoadBalancer"}}
    view = View(SLICE, [GATEWAY], [], [balanced], KEYS, {"n2": "172.31.1.12"})
    assert worker_report.endpoints(view, 0, 1, "n2") == ["172.31.1.12:30001"], "as before, until it has come"
    alone = {**balanced["spec"], "ports": [{"port": 51820}, {"port": 51821}]}
    assert worker_report.gateways(replace(view, services=[{**balanced, "spec": alone}])) == []
    status = {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}, {"hostname": "lb.example.net"}]}}
    view = View(SLICE, [GATEWAY], [], [{**balanced, "status": status}], KEYS, {"n2": "172.31.1.12"})
    assert worker_report.endpoints(view, 0, 1, "n2") == ["203.0.113.7:51821", "lb.example.net:51821"]
    assert worker_report.endpoints(view, 0, 2, "n2") == ["203.0.113.7:51820", "lb.example.net:51820"]


@pytest.mark.parametrize("missing", ["service", "key", "address"])
def test_a_gateway_that_cannot_be_reached_yet_is_not_announced(missing: Any) -> None:
    view = View(
        SLICE,
        [GATEWAY],
        [],
        [] if missing == "service" else [SERVICE],
        {} if missing == "key" else KEYS,
        {} if missing == "address" else {"n1": "172.31.1.11"},
    )
    assert worker_report.gateways(view) == []


def test_application_pods_are_listed_with_their_next_hop() -> None:
    view = View(SLICE, [APP, pod("late", "app", address=""), ROUTER], [])
    assert [line.wire() for line in worker_report.app_pods(view)] == [
        {
            "podName": "web-0",
            "podNamespace": "kubeslice-system",
            "podIp": "10.244.1.2",
            "nsmIp": "10.1.0.70",
            "nsmInterface": "ks0",
            "nsmPeerIp": "10.1.0.1",
        }
    ]


def test_health_keeps_its_time_while_nothing_changes() -> None:
    view = View(SLICE, [*ROUTERS, GATEWAY], [])
    first = worker_parts.slice_health(view, {}, "2030-01-01T00:00:00Z")
    assert first["sliceHealthStatus"] == "Normal"
    assert worker_parts.slice_health(view, first, "2031-01-01T00:00:00Z") == first


def test_other_words_are_no_news() -> None:
    seen = {"status": {"conditions": [{"type": "Ready", "status": "False", "reason": "R"}], "gateways": [{"plane": 0}]}}
    said = findings.not_ready("R", "other words")
    same = {"gateways": [{"plane": 0}], "connectedAppPods": [{}], "onboardedAppNamespaces": []}
    assert not Report([said], same).is_news(seen)
    assert Report([findings.ready("R", "other words")], same).is_news(seen)
    assert Report([findings.not_ready("S", "")], same).is_news(seen)
    assert Report([said], same | {"gateways": []}).is_news(seen)
    assert Report([said], same | {"onboardedAppNamespaces": [{"name": "shop"}]}).is_news(seen)
