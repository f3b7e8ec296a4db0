"""How exports of several clusters become imports of all."""

from ipaddress import IPv4Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.plan.services import exports
from kubeslice.plan.services.exports import Export, SliceMembers

MEMBERS = SliceMembers(
    "red", exists=True, clusters={c: IPv4Network(f"10.1.{i * 64}.0/18") for i, c in enumerate("abc")}
)
PORTS = [{"name": "http", "port": 80, "protocol": "TCP"}, {"name": "dns", "port": 53, "protocol": "UDP"}]


def export(cluster: str, *addresses: str, **changes: Any) -> Export:
    spec: dict[str, Any] = {
        "serviceName": "web",
        "serviceNamespace": "shop",
        "sliceName": "red",
        "sourceCluster": cluster,
        "serviceDiscoveryEndpoints": [
            {"podName": f"web-{i}", "cluster": cluster, "nsmIp": address} for i, address in enumerate(addresses)
        ],
        "serviceDiscoveryPorts": PORTS,
        **changes,
    }
    return Export(cluster, f"web-shop-{cluster}", spec)


def test_every_member_imports_what_all_clusters_export() -> None:
    imports = exports.service_imports("p", MEMBERS, [export("b", "10.1.64.20"), export("a", "10.1.0.20")])
    assert [(i["metadata"]["namespace"], i["metadata"]["name"]) for i in imports] == [
        (f"kubeslice-p-{c}", f"web-shop-red-{c}") for c in "abc"
    ]
    spec = imports[0]["spec"]
    assert spec["sourceClusters"] == ["a", "b"]
    assert [e["nsmIp"] for e in spec["serviceDiscoveryEndpoints"]] == ["10.1.0.20", "10.1.64.20"]
    assert [p["name"] for p in spec["serviceDiscoveryPorts"]] == ["dns", "http"]


@given(st.permutations([export("a", "10.1.0.20", "10.1.0.21"), export("b", "10.1.64.20"), export("c", "10.1.128.2")]))
def test_the_order_of_exports_does_not_matter(shuffled: list[Export]) -> None:
    assert exports.service_imports("p", MEMBERS, shuffled) == exports.service_imports("p", MEMBERS, shuffled[::-1])


@pytest.mark.parametrize("address", ["10.1.64.20", "192.0.2.1", "nonsense", ""])
def test_a_cluster_can_offer_no_address_that_is_not_its_own(address: str) -> None:
    (first, *_) = exports.service_imports("p", MEMBERS, [export("a", "10.1.0.20", address)])
    assert [e["nsmIp"] for e in first["spec"]["serviceDiscoveryEndpoints"]] == ["10.1.0.20"]


@pytest.mark.parametrize(
    ("wrong", "members", "reason"),
    [
        (export("a", sourceCluster="b"), MEMBERS, "ForeignCluster"),
        (export("z"), MEMBERS, "NotAMember"),
        (export("a"), SliceMembers("red", exists=False, clusters={}), "NoSuchSlice"),
        (export("a", serviceNamespace=""), MEMBERS, "InvalidName"),
    ],
)
def test_what_cannot_be_exported_says_why(wrong: Export, members: SliceMembers, reason: str) -> None:
    assert exports.service_imports("p", members, [wrong]) == []
    finding = exports.judge(wrong, members)
    assert (finding.status, finding.reason) == ("False", reason)


def test_a_bad_export_does_not_spoil_a_good_one() -> None:
    imports = exports.service_imports("p", MEMBERS, [export("z", "10.1.0.9"), export("a", "10.1.0.20")])
    assert [i["spec"]["sourceClusters"] for i in imports] == [["a"]] * 3
    assert exports.judge(export("a", "10.1.0.20"), MEMBERS).message == "1 endpoints offered to 3 clusters"
