"""Laws of the cut of a slice: parts never overlap, nothing moves, order does not matter, growth keeps every part."""

from ipaddress import IPv4Interface, IPv4Network
from itertools import combinations
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.model.errors import Terminal
from kubeslice.model.sliceconfig import SliceConfigSpec
from kubeslice.plan.address import parts
from kubeslice.plan.address.parts import Cut

CLUSTERS = st.lists(st.sampled_from([f"c{number}" for number in range(8)]), unique=True, max_size=8)


def spec(subnet: str = "10.1.0.0/16", **fields: Any) -> SliceConfigSpec:
    return SliceConfigSpec.model_validate({"sliceSubnet": subnet, **fields})


def dynamic(subnet: str, size: int) -> Cut:
    return parts.cut(spec(subnet, sliceIpamType="Dynamic", ipam={"clusterSubnetSize": size}))


@pytest.mark.parametrize(
    ("max_clusters", "count", "prefix", "second"),
    [
        (2, 2, 17, "10.1.128.0/17"),
        (3, 4, 18, "10.1.64.0/18"),
        (8, 8, 19, "10.1.32.0/19"),
        (9, 16, 20, "10.1.16.0/20"),
        (16, 16, 20, "10.1.16.0/20"),
        (17, 32, 21, "10.1.8.0/21"),
        (32, 32, 21, "10.1.8.0/21"),
    ],
)
def test_equal_parts_as_in_go(max_clusters: int, count: int, prefix: int, second: str) -> None:
    cut = parts.cut(spec(maxClusters=max_clusters))
    assert (cut.count, cut.prefix, str(cut.part(1))) == (count, prefix, second)
    assert parts.count(spec("", maxClusters=max_clusters)) == count


@pytest.mark.parametrize(
    ("subnet", "size", "count", "last"),
    [
        ("10.1.0.0/16", 24, 256, "10.1.255.0/24"),
        ("10.0.0.0/8", 16, 256, "10.255.0.0/16"),
        ("10.0.0.0/8", 26, 4096, "10.3.255.192/26"),
        ("192.168.7.0/26", 26, 1, "192.168.7.0/26"),
        ("172.16.0.0/12", 20, 256, "172.31.240.0/20"),
    ],
)
def test_parts_of_one_size(subnet: str, size: int, count: int, last: str) -> None:
    cut = dynamic(subnet, size)
    assert (cut.count, str(cut.part(count - 1))) == (count, last)
    with pytest.raises(Terminal, match=f"octet {count} is not one of the {count} parts"):
        cut.part(count)


def test_the_default_size_is_a_slash_24() -> None:
    assert parts.cut(spec("10.8.0.0/14", sliceIpamType="Dynamic")).prefix == 24


def test_parts_too_small_or_none_are_refused() -> None:
    with pytest.raises(Terminal, match="at least a /26"):
        dynamic("10.1.0.0/16", 27)
    with pytest.raises(Terminal, match="no room for a single part of /16"):
        dynamic("10.1.0.0/20", 16)


@given(st.integers(16, 26), st.data())
def test_parts_lie_in_the_slice_do_not_overlap_and_know_their_number(size: int, data: st.DataObject) -> None:
    prefix = data.draw(st.integers(max(8, size - 6), size))
    whole = IPv4Network(("10.0.0.0", prefix))
    cut = dynamic(str(whole), size)
    found = [cut.part(octet) for octet in range(cut.count)]
    assert sum(part.num_addresses for part in found) == whole.num_addresses
    assert all(part.subnet_of(whole) for part in found)
    assert not any(one.overlaps(other) for one, other in combinations(found, 2))
    assert [cut.octet(part) for part in found] == list(range(cut.count))


@given(size=st.integers(16, 26), prefix=st.integers(12, 26), longer=st.integers(0, 8))
def test_a_subnet_that_grows_at_its_end_moves_no_part(size: int, prefix: int, longer: int) -> None:
    before = min(prefix + longer, size)
    if prefix > before:
        return
    small, large = dynamic(f"10.16.0.0/{before}", size), dynamic(f"10.16.0.0/{prefix}", size)
    assert large.count >= small.count
    for octet in {0, small.count // 2, small.count - 1}:
        assert large.part(octet) == small.part(octet)


def test_a_prefix_that_is_no_network_moves_no_part_either() -> None:
    """Nothing that runs is torn down because a bad subnet got past the checks."""
    assert dynamic("10.8.0.0/8", 24).part(3) == dynamic("10.8.0.0/16", 24).part(3)


def test_what_is_no_part_has_no_number() -> None:
    cut = Cut(IPv4Interface("10.1.0.0/16"), 24)
    for text in ("10.2.0.0/24", "10.0.255.0/24", "10.1.0.0/25", "10.1.0.128/25"):
        assert cut.octet(IPv4Network(text)) is None


def test_each_cluster_has_the_v6_part_of_its_number() -> None:
    assert str(parts.part_v6("fd12:3456:789a::/48", 0)) == "fd12:3456:789a::/64"
    assert str(parts.part_v6("fd12:3456:789a::/48", 4095)) == "fd12:3456:789a:fff::/64"
    assert str(parts.part_v6("fd12:3456:789a:100::/56", 255)) == "fd12:3456:789a:1ff::/64"


@given(st.lists(CLUSTERS, max_size=6))
def test_octets_never_collide_nor_move_while_members_come_and_go(history: Any) -> None:
    """Members that leave keep their octet one round longer, as while their worker still cleans up."""
    leaving: dict[str, int] = {}
    current: dict[str, int] = {}
    for members in history:
        taken = {**leaving, **current}
        if len(set(taken) | set(members)) > 4:
            with pytest.raises(Terminal, match="no part of the subnet is left"):
                parts.octets(members, taken, 4)
            continue
        given_now = parts.octets(members, taken, 4)
        assert set(given_now) == set(members)
        assert all(given_now[member] == taken[member] for member in members if member in taken)
        everybody = {**taken, **given_now}
        assert len(set(everybody.values())) == len(everybody)
        assert all(0 <= octet < 4 for octet in everybody.values())
        leaving = {name: octet for name, octet in current.items() if name not in given_now}
        current = given_now


@given(CLUSTERS, st.randoms(use_true_random=False))
def test_the_order_of_members_does_not_matter(members: list[str], random: Random) -> None:
    shuffled = random.sample(members, len(members))
    assert parts.octets(members, {}, 8) == parts.octets(shuffled, {}, 8)


def test_replacing_a_cluster_in_one_edit_takes_the_lowest_free_octet() -> None:
    assert parts.octets(["a", "c"], {"a": 0, "b": 1}, 4) == {"a": 0, "c": 2}
    assert parts.octets(["a", "c"], {"a": 0}, 4) == {"a": 0, "c": 1}


def test_octets_that_run_out_or_collide_are_refused() -> None:
    with pytest.raises(Terminal, match="for cluster c: there are 2, which a, b have or had; take a cluster out"):
        parts.octets(["c"], {"a": 0, "b": 1}, 2)
    with pytest.raises(Terminal, match=r"two clusters have the same part of the subnet \(a: 0, b: 0\)"):
        parts.octets(["c"], {"a": 0, "b": 0, "d": 1}, 4)
    with pytest.raises(Terminal, match="which c0, c1, c2, c3, c4, 3 more have or had; widen it"):
        parts.octets(["x"], {f"c{number}": number for number in range(8)}, 8, "widen it")
