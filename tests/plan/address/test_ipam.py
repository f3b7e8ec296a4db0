"""Laws of the address plan: nothing overlaps, nothing moves, order does not matter."""

from ipaddress import IPv4Address, IPv4Network, IPv6Network
from itertools import chain, combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.model.errors import Terminal
from kubeslice.model.names import LOWEST_VNI
from kubeslice.plan.address import ipam
from kubeslice.plan.address.ipam import ClusterPlan

SLICE = IPv4Network("10.1.0.0/16")
NODES = st.sets(st.sampled_from([f"n{number}" for number in range(5)]), max_size=5)
PLANS = st.integers(17, 26).map(lambda prefix: ClusterPlan(IPv4Network((SLICE.network_address, prefix))))


def test_the_places_in_a_cluster_subnet() -> None:
    plan = ClusterPlan(IPv4Network("10.1.16.0/20"))
    assert [str(hop) for hop in plan.router_next_hops] == ["10.1.16.1", "10.1.16.2"]
    assert [str(plan.router(number)) for number in (0, 1)] == ["10.1.16.4", "10.1.16.12"]
    assert [str(plan.router_plane(0, plane)) for plane in (0, 3)] == ["10.1.16.4", "10.1.16.7"]
    assert [str(plan.router_plane(1, plane)) for plane in (0, 3)] == ["10.1.16.12", "10.1.16.15"]
    assert [str(plan.gateway(plane)) for plane in (0, 3)] == ["10.1.16.8", "10.1.16.11"]
    assert str(plan.virtual_ips) == "10.1.28.0/22"
    assert str(plan.node_blocks[0]) == "10.1.16.64/26"
    assert str(plan.node_blocks[-1]) == "10.1.27.192/26"


def test_places_that_do_not_exist() -> None:
    plan = ClusterPlan(IPv4Network("10.1.16.0/20"))
    for place, numbers in (
        (plan.router_next_hop, (2,)),
        (plan.router, (2,)),
        (plan.router_plane, (2, 0)),
        (plan.router_plane, (0, 4)),
        (plan.gateway, (-1,)),
    ):
        with pytest.raises(ValueError):
            place(*numbers)
    with pytest.raises(Terminal, match="too small"):
        ClusterPlan(IPv4Network("10.1.16.0/27"))


@given(PLANS)
def test_blocks_infrastructure_and_virtual_ips_never_overlap(plan: ClusterPlan) -> None:
    parts = [plan.infrastructure, plan.virtual_ips, *plan.node_blocks[:64], *plan.node_blocks[-4:]]
    assert not any(one.overlaps(other) for one, other in combinations(dict.fromkeys(parts), 2))
    assert all(part.subnet_of(plan.subnet) for part in parts)
    between = len(plan.node_blocks) * plan.block_size
    assert plan.block_size + between + plan.virtual_ips.num_addresses == plan.subnet.num_addresses, (
        "nothing is left out"
    )
    fixed = [*plan.router_next_hops, *map(plan.gateway, range(4))]
    fixed += [plan.router_plane(router, plane) for router in (0, 1) for plane in range(4)]
    assert len(set(fixed)) == len(fixed)
    assert all(address in plan.infrastructure for address in fixed)


def test_every_other_pod_has_the_other_next_hop() -> None:
    plan = ClusterPlan(IPv4Network("10.1.16.0/20"))
    hops = [str(plan.next_hop_for(IPv4Address(address))) for address in ("10.1.16.64", "10.1.16.65", "10.1.17.66")]
    assert hops == ["10.1.16.1", "10.1.16.2", "10.1.16.1"]


DEMANDS = st.dictionaries(st.sampled_from([f"n{number}" for number in range(5)]), st.integers(0, 60), max_size=5)


@given(PLANS, st.lists(st.tuples(NODES, DEMANDS), max_size=5))
def test_node_blocks_never_overlap_nor_move_while_nodes_come_and_go(plan: ClusterPlan, history: Any) -> None:
    current: ipam.NodeBlocks = {}
    for nodes, demand in history:
        new = ipam.assign_node_blocks(plan, nodes, current, demand)
        assert set(new) == nodes
        blocks = list(chain.from_iterable(new.values()))
        assert len(set(blocks)) == len(blocks)
        assert set(blocks) <= set(plan.node_blocks)
        for node in nodes:
            assert new[node][: len(current.get(node, ()))] == current.get(node, ())
        if sum(len(own) for own in new.values()) < len(plan.node_blocks):
            assert ipam.shortage(plan, new, demand) == {}
        assert ipam.assign_node_blocks(plan, nodes, new, demand) == new
        current = new


def test_every_node_gets_a_first_block_before_anyone_gets_a_second() -> None:
    plan = ClusterPlan(IPv4Network("10.1.0.0/26"))
    given_blocks = ipam.assign_node_blocks(plan, {"a", "b"}, {}, {"a": 32})
    assert {node: len(own) for node, own in given_blocks.items()} == {"a": 1, "b": 1}
    assert ipam.shortage(plan, given_blocks, {"a": 32}) == {"a": 16}


BLOCKS = (IPv4Network("10.1.0.64/28"), IPv4Network("10.1.0.16/28"))
ADDRESSES = st.sampled_from(sorted(chain.from_iterable(BLOCKS)))


@given(st.sets(ADDRESSES), st.none() | ADDRESSES)
def test_the_next_address_is_free_and_in_the_blocks(used: Any, last: Any) -> None:
    address = ipam.next_address(BLOCKS, used, last)
    free = set(chain.from_iterable(BLOCKS)) - used
    assert (address in free) if free else (address is None)


@given(st.lists(st.integers(-31, 31), min_size=1, max_size=80))
def test_the_address_freed_last_comes_back_only_when_no_other_is_free(steps: Any) -> None:
    """Attach (negative) or detach the pod at that place, in any order."""
    used: list[IPv4Address] = []
    last = freed = None
    for step in steps:
        if step > 0 and used:
            last = freed = used.pop(step % len(used))
            continue
        address = ipam.next_address(BLOCKS, used, last)
        if address is not None:
            assert address != freed or len(used) == 31
            used.append(address)
            last, freed = address, None


def test_detaching_and_attaching_does_not_give_the_same_address() -> None:
    first = ipam.next_address(BLOCKS, (), None)
    assert str(first) == "10.1.0.16"
    assert str(ipam.next_address(BLOCKS, (), first)) == "10.1.0.17"


def test_an_address_has_one_mac() -> None:
    assert ipam.mac(IPv4Address("10.1.2.255")) == "02:6b:0a:01:02:ff"


@given(st.sets(st.integers(LOWEST_VNI - 2, LOWEST_VNI + 6)))
def test_the_lowest_vni_is_free_and_the_lowest(taken: set[int]) -> None:
    vni = ipam.lowest_vni(taken)
    assert vni not in taken
    assert set(range(LOWEST_VNI, vni)) <= taken


def test_numbers_of_routing_and_mtu() -> None:
    assert [ipam.autonomous_system(octet) for octet in (3, 1022, 1023, 4095)] == [64515, 65534, 4200001023, 4200004095]
    assert ipam.overlay_mtu([1500, 1450], 80) == 1370
    assert ipam.overlay_mtu([], 80) == 1420


def test_what_has_an_address_has_the_same_place_in_the_v6_part() -> None:
    plan, subnet = ClusterPlan(IPv4Network("10.1.16.0/20")), IPv6Network("fd12:3456:789a:1::/64")
    assert str(ipam.twin(plan.gateway(1), plan.subnet, subnet)) == "fd12:3456:789a:1::9"
    assert str(ipam.twin(IPv4Address("10.1.17.2"), plan.subnet, subnet)) == "fd12:3456:789a:1::102"
