"""The search for the largest packet, and what follows for a tunnel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.plan.tunnels.pathmtu import SMALLEST, Search, complaint, inside


def searched(search: Search, truth: int, *, tells: bool = False) -> int:
    """Return how many sizes were tried until the search ended."""
    tried = 0
    while (size := search.size) is not None:
        tried += 1
        if size <= truth:
            search.passed(size)
        else:
            search.failed(size, truth if tells else 0)
    return tried


@given(st.integers(SMALLEST, 9000), st.integers(SMALLEST, 9000), st.integers(0, 9100), st.booleans())
def test_a_search_finds_what_passes(truth: int, high: int, guess: int, tells: bool) -> None:
    search = Search(SMALLEST, high, guess)
    assert searched(search, truth, tells=tells) <= 20
    assert search.low == min(truth, high)


def test_a_path_that_takes_everything_costs_one_packet() -> None:
    assert searched(Search(SMALLEST, 1480), 9000) == 1


def test_a_router_that_names_its_limit_ends_the_search() -> None:
    assert searched(Search(SMALLEST, 1480), 1280, tells=True) == 2


def test_a_path_that_is_as_it_was_costs_three_packets() -> None:
    assert searched(Search(SMALLEST, 1480, 1280), 1280) == 3


@pytest.mark.parametrize(("truth", "cost"), [(1500, 3), (1280, 4)])
def test_a_usual_limit_that_nobody_names_costs_few_packets(truth: int, cost: int) -> None:
    assert searched(Search(SMALLEST, 9000), truth) == cost


def test_a_limit_that_makes_no_sense_is_not_believed() -> None:
    search = Search(SMALLEST, 1480)
    search.failed(1480, 68)
    search.failed(search.size or 0, 9000)
    assert searched(search, 1000) > 3
    assert search.low == 1000


@pytest.mark.parametrize(
    ("outer", "overhead", "block", "segment", "mtu"),
    [
        (1500, 60, 16, 1420, 1420),
        (1480, 60, 16, 1420, 1420),
        (1280, 60, 16, 1420, 1216),
        (1280, 80, 16, 1420, 1200),
        (9000, 60, 16, 8920, 8920),
        (1280, 52, 1, 1420, 1228),
        (300, 60, 16, 1420, 400),
    ],
)
def test_a_tunnel_carries_what_is_left_of_the_path(
    outer: int, overhead: int, block: int, segment: int, mtu: int
) -> None:
    assert inside(outer, overhead, block, segment) == mtu


@given(st.integers(SMALLEST, 9000), st.sampled_from([1, 16]), st.integers(SMALLEST, 9000))
def test_what_a_tunnel_carries_fits_the_path_with_its_padding(outer: int, block: int, segment: int) -> None:
    mtu = inside(outer, 60, block, segment)
    padded = mtu if mtu == segment else -(-mtu // block) * block
    assert padded + 60 <= max(outer, 460)


def test_only_paths_below_1280_are_complained_about() -> None:
    assert complaint(1280) == complaint(0) == ""
    assert "1200 bytes only" in complaint(1200)
    assert "raise the MTU" in complaint(1200)
