"""What webhook and hub say about the addresses of a slice: the field, the value, and what would be right."""

from typing import Any

import pytest

from kubeslice.model.cluster import Cluster
from kubeslice.model.sliceconfig import SliceConfigSpec
from kubeslice.plan.checks import addresschecks

CLUSTERS = {
    name: Cluster.parse({"metadata": {"name": name}, "status": {"cniSubnet": ["10.244.0.0/16", "fd00:10:244::/56"]}})
    for name in ("a", "b")
}


def found(**fields: Any) -> list[str]:
    spec = SliceConfigSpec.model_validate({"sliceSubnet": "10.8.0.0/14", "sliceIpamType": "Dynamic", **fields})
    return [f"{problem.reason} {problem}" for problem in addresschecks.addresses(spec, CLUSTERS)]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"sliceSubnet": "10.0.0.0/9", "clusters": ["a", "b"]},
        {"sliceSubnet": "192.168.3.0/24", "ipam": {"clusterSubnetSize": 26}, "clusters": ["a", "b", "c", "d"]},
        {"sliceSubnet": "172.16.0.0/12", "maxClusters": 512},
        {"sliceSubnetV6": "fd12:3456:789a::/48", "clusters": ["a"]},
        {"sliceIpamType": "Static", "sliceSubnet": "10.1.0.0/16", "maxClusters": 32},
        {"sliceIpamType": "Static", "sliceSubnet": "10.1.0.0/16", "sliceSubnetV6": "fd12:3456:789a:100::/56"},
        {"sliceSubnet": "", "overlayNetworkDeploymentMode": "no-network", "maxClusters": 400},
    ],
)
def test_good_addresses(fields: Any) -> None:
    assert found(**fields) == []


@pytest.mark.parametrize(
    ("fields", "reason", "words"),
    [
        ({"sliceSubnet": "10.8.0.0/12"}, "InvalidSubnet", ["'10.8.0.0/12' is not an IPv4 network", "10.8.0.0/14"]),
        ({"sliceSubnet": "9.0.0.0/8"}, "InvalidSubnet", ["9.0.0.0/8 is not private", "10.8.0.0/14"]),
        ({"sliceSubnet": "10.0.0.0/7"}, "InvalidSubnet", ["10.0.0.0/7 is not private"]),
        (
            {"sliceSubnet": "10.8.0.0/14", "sliceIpamType": "Local"},
            "InvalidSubnet",
            ["/14, not a /16", "sliceIpamType Dynamic"],
        ),
        ({"ipam": {"clusterSubnetSize": 28}}, "InvalidSubnet", ["spec.ipam.clusterSubnetSize", "at least a /26"]),
        ({"sliceSubnet": "10.8.0.0/25"}, "InvalidSubnet", ["no room for a single part of /24", "shorter prefix"]),
        (
            {"sliceSubnet": "10.8.0.0/23", "clusters": ["a", "b", "c"]},
            "TooManyClusters",
            ["10.8.0.0/23 has 2 parts of /24 for 3 members", "grow to a shorter prefix"],
        ),
        (
            {"sliceSubnet": "10.1.0.0/16", "sliceIpamType": "Local", "maxClusters": 33},
            "InvalidSpec",
            ["spec.maxClusters: 33 is above 32", "sliceIpamType Dynamic"],
        ),
        (
            {"sliceSubnet": "10.240.0.0/12", "clusters": ["a"]},
            "SubnetOverlap",
            ["10.240.0.0/12 overlaps 10.244.0.0/16, a network of cluster a"],
        ),
        ({"sliceSubnetV6": "ten"}, "InvalidSubnet", ["spec.sliceSubnetV6: 'ten' is not an IPv6 network"]),
        ({"sliceSubnetV6": "fd12::1/48"}, "InvalidSubnet", ["'fd12::1/48' is not an IPv6 network"]),
        ({"sliceSubnetV6": "fd12::/64"}, "InvalidSubnet", ["fd12::/64 is not a unique local /48 to /56"]),
        ({"sliceSubnetV6": "2001:db8::/48"}, "InvalidSubnet", ["2001:db8::/48 is not a unique local"]),
        (
            {"sliceSubnetV6": "fd12:0:0:100::/56"},
            "InvalidSubnet",
            ["has 256 parts of /64 and 10.8.0.0/14 has 1024", "shorter prefix"],
        ),
        (
            {"sliceSubnetV6": "fd00:10:244::/48", "clusters": ["b"]},
            "SubnetOverlap",
            ["fd00:10:244::/48 overlaps fd00:10:244::/56, a network of cluster b"],
        ),
    ],
)
def test_bad_addresses_are_named_with_a_remedy(fields: Any, reason: str, words: list[str]) -> None:
    (sentence,) = found(**fields)
    assert sentence.startswith(f"{reason} spec.")
    assert [word for word in words if word not in sentence] == [], sentence
