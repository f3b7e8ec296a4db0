"""Laws of the pairs: both sides agree, numbers are unique and never change."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.plan import pairs

MEMBERS = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


def octets_of(members: list[str]) -> Any:
    return {member: ord(member) - ord("a") for member in members}


@given(MEMBERS)
def test_every_two_members_are_connected_by_two_sides_that_agree(members: list[str]) -> None:
    sides = pairs.full_mesh("red", members, octets_of(members))
    found = {(side.local, side.remote): side for side in sides}
    assert set(found) == {(one, other) for one in members for other in members if one != other}
    assert len(found) == len(sides)
    for (local, remote), side in found.items():
        other = found[remote, local]
        assert (side.number, side.remote_name) == (other.number, other.name)
        assert {side.host_type, other.host_type} == {"Server", "Client"}


@given(MEMBERS)
def test_numbers_are_unique_in_a_slice(members: list[str]) -> None:
    sides = pairs.full_mesh("red", members, octets_of(members))
    assert len({side.number for side in sides}) == len(members) * (len(members) - 1) // 2


@given(MEMBERS, MEMBERS)
def test_a_pair_keeps_its_number_when_others_come_and_go(before: list[str], after: list[str]) -> None:
    def numbers(members: list[str]) -> Any:
        return {
            frozenset((side.local, side.remote)): side.number
            for side in pairs.full_mesh("red", members, octets_of(members))
        }

    one, other = numbers(before), numbers(after)
    assert {pair: one[pair] for pair in one.keys() & other.keys()} == {
        pair: other[pair] for pair in one.keys() & other.keys()
    }


def test_numbers_of_all_octets() -> None:
    numbers = [pairs.gateway_number(one, other) for one, other in combinations(range(32), 2)]
    assert sorted(numbers) == list(range(32 * 31 // 2))
    with pytest.raises(ValueError):
        pairs.gateway_number(3, 3)


def test_the_first_of_the_list_is_the_server() -> None:
    first, second = pairs.full_mesh("red", ["b", "a"], {"a": 0, "b": 1})
    assert (first.name, first.host_type) == ("red-b-a", "Server")
    assert (second.name, second.host_type) == ("red-a-b", "Client")


def test_a_member_without_an_octet_has_no_pairs_yet() -> None:
    assert pairs.full_mesh("red", ["a", "b"], {"a": 0}) == []
