from typing import Any

import pytest

from kubeslice.plan.cluster import gateway_workloads
from kubeslice.plan.cluster.gateway_workloads import Exposure
from kubeslice.plan.cluster.workloads import Build, Owner

OWNER = Owner("red", "u1")
BUILD = Build("kubeslice/kubeslice:1")
NODE_PORT = Exposure()


def pod(build: Any = BUILD, plane: int = 1) -> Any:
    return gateway_workloads.deployment(OWNER, plane, build)["spec"]["template"]["spec"]


def test_pods_say_by_labels_what_they_are_and_wait_for_their_interface() -> None:
    gateway = gateway_workloads.deployment(OWNER, 1, BUILD)
    template = gateway["spec"]["template"]
    assert template["metadata"]["labels"] == {
        "kubeslice.io/slice": "red",
        "kubeslice.io/pod-type": "slicegateway",
        "kubeslice.io/plane": "1",
    }
    assert gateway["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
    assert gateway["spec"]["strategy"] == {"type": "Recreate"}
    assert template["spec"]["initContainers"][0]["args"] == ["run", "wait"]
    assert template["spec"]["containers"][0]["args"] == ["run", "gateway"]
    assert template["spec"]["serviceAccountName"] == "slice-gateway-red"


def test_planes_keep_to_different_nodes_where_there_are_several() -> None:
    evenly = pod()["topologySpreadConstraints"][0]
    assert (evenly["maxSkew"], evenly["whenUnsatisfiable"]) == (1, "DoNotSchedule")
    for plane in (0, 1):
        labels = gateway_workloads.deployment(OWNER, plane, BUILD)["spec"]["template"]["metadata"]["labels"]
        assert evenly["labelSelector"]["matchLabels"].items() <= labels.items()


def test_the_service_chooses_the_gateway_of_its_plane_alone() -> None:
    service = gateway_workloads.service(OWNER, 1, NODE_PORT)
    own = gateway_workloads.deployment(OWNER, 1, BUILD)["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == own
    assert service["spec"]["selector"] != gateway_workloads.service(OWNER, 0, NODE_PORT)["spec"]["selector"]


@pytest.mark.parametrize(
    ("engine", "provider", "expected"),
    [
        ("Wireguard", {}, ("NodePort", "UDP")),
        ("Wireguard", {"sliceGatewayProtocol": "TCP"}, ("NodePort", "UDP")),
        ("OpenVPN", {"sliceGatewayProtocol": "TCP"}, ("NodePort", "TCP")),
        ("OpenVPN", {"sliceGatewayServiceType": "LoadBalancer"}, ("LoadBalancer", "UDP")),
    ],
)
def test_the_service_has_a_port_for_either_parity_of_generations(engine: Any, provider: Any, expected: Any) -> None:
    exposed = gateway_workloads.exposure({"gatewayType": engine}, provider)
    spec = gateway_workloads.service(OWNER, 0, exposed)["spec"]
    assert (spec["type"], spec["ports"][0]["protocol"]) == expected
    assert [(port["name"], port["port"]) for port in spec["ports"]] == [("tunnel-0", 51820), ("tunnel-1", 51821)]


def test_gateways_are_privileged_only_where_they_need_the_tun_device() -> None:
    assert pod()["containers"][0]["securityContext"] == {"privileged": True}
    assert pod(Build("i", privileged_gateways=False))["containers"][0]["securityContext"] == {
        "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN", "NET_RAW"]}
    }


def test_a_drain_takes_one_plane_at_a_time_and_nothing_stands_in_the_way_of_a_single_one() -> None:
    assert gateway_workloads.budgets(OWNER, 1) == []
    assert gateway_workloads.budgets(OWNER, 3)[0]["spec"]["minAvailable"] == 2


def test_a_slices_gateways_may_read_the_secrets_of_its_planes_and_no_other() -> None:
    rules = gateway_workloads.role(OWNER, range(2))["rules"]
    assert rules == [
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": ["slice-gateway-red-0", "slice-gateway-red-1"],
            "verbs": ["get", "list", "watch"],
        }
    ]
    account = gateway_workloads.account(OWNER)["metadata"]
    for binding in gateway_workloads.bindings(OWNER):
        assert binding["subjects"] == [
            {"kind": "ServiceAccount", "name": account["name"], "namespace": account["namespace"]}
        ]
    roles = [binding["roleRef"]["name"] for binding in gateway_workloads.bindings(OWNER)]
    assert roles == ["slice-gateway-red", "kubeslice-gateway"]
