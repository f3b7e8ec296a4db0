"""Laws of the pairs: both sides agree, numbers are unique and never change."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.plan.tunnels import pairs
from kubeslice.plan.tunnels.pairs import Side
from kubeslice.plan.tunnels.topology import Graph, pair

MEMBERS = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


def octets_of(members: list[str]) -> Any:
    return {member: ord(member) - ord("a") for member in members}


def sides(members: list[str], **more: Any) -> list[Side]:
    graph = Graph(tuple(members))
    return [side for remote in members for side in pairs.sides_to(remote, "red", graph, octets_of(members), **more)]


@given(MEMBERS)
def test_every_two_members_are_connected_by_two_sides_that_agree(members: list[str]) -> None:
    every = sides(members)
    found = {(side.local, side.remote): side for side in every}
    assert set(found) == {(one, other) for one in members for other in members if one != other}
    assert len(found) == len(every)
    for (local, remote), side in found.items():
        other = found[remote, local]
        assert (side.number, side.remote_name) == (other.number, other.name)
        assert {side.host_type, other.host_type} == {"Server", "Client"}


@given(MEMBERS)
def test_numbers_are_unique_in_a_slice(members: list[str]) -> None:
    assert len({side.number for side in sides(members)}) == len(members) * (len(members) - 1) // 2


@given(MEMBERS, MEMBERS)
def test_a_pair_keeps_its_number_when_others_come_and_go(before: list[str], after: list[str]) -> None:
    def numbers(members: list[str]) -> Any:
        return {pair(side.local, side.remote): side.number for side in sides(members)}

    one, other = numbers(before), numbers(after)
    assert {ends: one[ends] for ends in one.keys() & other.keys()} == {
        ends: other[ends] for ends in one.keys() & other.keys()
    }


def test_numbers_of_all_octets() -> None:
    numbers = [pairs.gateway_number(one, other) for one, other in combinations(range(32), 2)]
    assert sorted(numbers) == list(range(32 * 31 // 2))
    with pytest.raises(ValueError):
        pairs.gateway_number(3, 3)


def test_the_first_of_the_list_is_the_server() -> None:
    found = {side.name: side.host_type for side in sides(["b", "a"])}
    assert found == {"red-b-a": "Server", "red-a-b": "Client"}


def test_of_a_swapped_pair_the_first_is_the_client() -> None:
    found = {side.name: side.host_type for side in sides(["b", "a", "c"], swapped=[("a", "b")])}
    assert (found["red-b-a"], found["red-a-b"], found["red-b-c"]) == ("Client", "Server", "Server")
