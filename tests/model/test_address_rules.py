"""What the API server refuses of a slice's addresses by itself, and how far they may change."""

from typing import Any

import pytest

from kubeslice.lab.apiserver.schema.custom import CustomSchema, compile_schema
from kubeslice.model.crd import object_schema
from kubeslice.model.sliceconfig import SliceConfig
from tests.model.test_rules import complaints, slice_config


def dynamic(subnet: str = "10.8.0.0/14", size: int | None = None, **spec: Any) -> Any:
    ipam: Any = {} if size is None else {"ipam": {"clusterSubnetSize": size}}
    return slice_config(**{"sliceSubnet": subnet, "sliceIpamType": "Dynamic", **ipam, **spec})


@pytest.fixture(scope="module")
def schema() -> CustomSchema:
    return compile_schema(object_schema(SliceConfig))


MANY = [f"c{number}" for number in range(512)]
GOOD = [
    *(dynamic(subnet) for subnet in ("10.0.0.0/8", "10.128.0.0/9", "172.16.0.0/12", "192.168.0.0/16", "10.1.2.0/24")),
    dynamic("192.168.7.64/26", 26),
    dynamic("10.8.0.0/14", 16),
    dynamic("10.0.0.0/8", 24, clusters=MANY, maxClusters=512),
    slice_config(sliceIpamType="Static", maxClusters=32),
    slice_config(sliceSubnetV6="fd12:3456:789a::/48"),
    dynamic(sliceSubnetV6="fd12:3456:789a:100::/56"),
    slice_config(sliceSubnet="", sliceIpamType="Dynamic", overlayNetworkDeploymentMode="no-network"),
    slice_config(sliceSubnet="", overlayNetworkDeploymentMode="no-network", maxClusters=200),
]
BAD = [
    (dynamic("10.8.0.0/7"), "not a private IPv4 network of /8 to /26"),
    (dynamic("10.8.0.0/27"), "not a private IPv4 network of /8 to /26"),
    (dynamic("172.16.0.0/11"), "not a private IPv4 network of /8 to /26"),
    (dynamic("192.168.0.0/15"), "not a private IPv4 network of /8 to /26"),
    (dynamic("11.0.0.0/16"), "not a private IPv4 network of /8 to /26"),
    (dynamic("10.256.0.0/16"), "not a private IPv4 network of /8 to /26"),
    (dynamic("ten"), "not a private IPv4 network of /8 to /26"),
    (dynamic("10.8.0.0/12", 24), "sliceSubnet is not a network"),
    (dynamic("10.1.2.65/26", 26), "sliceSubnet is not a network"),
    (dynamic("10.1.2.0/25"), "smaller than the part of one cluster"),
    (dynamic("10.1.0.0/20", 16), "smaller than the part of one cluster"),
    (dynamic(size=27), "need a /26 at least"),
    (dynamic(size=15), "16"),
    (dynamic(size=31), "30"),
    (dynamic(maxClusters=513), "512"),
    (dynamic(clusters=[*MANY[:-1], "c0"], maxClusters=512), "Duplicate value"),
    (slice_config(maxClusters=33), "above 32"),
    (slice_config(ipam={"clusterSubnetSize": 24}), "ipam belongs to sliceIpamType Dynamic"),
    (slice_config(sliceSubnetV6="fd12::/64"), "not a unique local IPv6 network"),
    (slice_config(sliceSubnetV6="2001:db8::/48"), "not a unique local IPv6 network"),
    (
        slice_config(sliceSubnet="", overlayNetworkDeploymentMode="no-network", sliceSubnetV6="fd12::/48"),
        "sliceSubnetV6 stands alone",
    ),
]
ALLOWED = [
    (dynamic("10.8.0.0/16"), dynamic("10.8.0.0/13")),
    (dynamic("10.0.0.0/16"), dynamic("10.0.0.0/8")),
    (dynamic(), dynamic(size=24)),
    (dynamic(maxClusters=16), dynamic(maxClusters=400)),
    (slice_config(), slice_config(sliceSubnetV6="fd12::/48")),
    (slice_config(maxClusters=9), slice_config(maxClusters=16)),
    (slice_config(maxClusters=4), slice_config(maxClusters=3)),
    (
        slice_config(sliceSubnet="", sliceIpamType="Dynamic", overlayNetworkDeploymentMode="no-network"),
        dynamic("10.8.0.0/16"),
    ),
    (
        slice_config(sliceSubnet="", overlayNetworkDeploymentMode="no-network"),
        slice_config(sliceSubnet="", overlayNetworkDeploymentMode="no-network", maxClusters=200),
    ),
]
REFUSED = [
    (dynamic("10.8.0.0/13"), dynamic("10.8.0.0/16"), "sliceSubnet cannot change"),
    (dynamic("10.8.0.0/16"), dynamic("10.9.0.0/16"), "sliceSubnet cannot change"),
    (dynamic("10.9.0.0/16"), dynamic("10.8.0.0/15"), "sliceSubnet cannot change"),
    (dynamic("10.9.0.0/16"), dynamic("10.9.0.0/15"), "sliceSubnet is not a network"),
    (dynamic("10.8.0.0/16"), dynamic("rubbish"), "sliceSubnet cannot change"),
    (slice_config(), slice_config(sliceSubnet="10.1.0.0/15"), "sliceSubnet cannot change"),
    (dynamic(), dynamic(size=25), "clusterSubnetSize cannot change"),
    (dynamic(size=20), dynamic(), "clusterSubnetSize cannot change"),
    (slice_config(maxClusters=8), slice_config(maxClusters=9), "maxClusters cannot change"),
    (slice_config(maxClusters=16), slice_config(maxClusters=8), "maxClusters cannot change"),
    (slice_config(sliceSubnetV6="fd12::/48"), slice_config(sliceSubnetV6="fd13::/48"), "sliceSubnetV6 cannot change"),
    (slice_config(sliceSubnetV6="fd12::/48"), slice_config(), "sliceSubnetV6 cannot be taken away"),
]


def test_good_addresses_are_accepted(schema: CustomSchema) -> None:
    assert [complaints(schema, obj) for obj in GOOD] == [[] for _ in GOOD]


@pytest.mark.parametrize(("obj", "sentence"), BAD)
def test_bad_addresses_are_refused_with_a_sentence(schema: CustomSchema, obj: Any, sentence: str) -> None:
    found = complaints(schema, obj)
    assert [text for text in found if sentence in text], found


def test_what_moves_no_part_is_allowed(schema: CustomSchema) -> None:
    assert [complaints(schema, new, old) for old, new in ALLOWED] == [[] for _ in ALLOWED]


@pytest.mark.parametrize(("old", "new", "sentence"), REFUSED)
def test_what_would_move_a_part_is_refused(schema: CustomSchema, old: Any, new: Any, sentence: str) -> None:
    found = complaints(schema, new, old)
    assert [text for text in found if sentence in text], found
