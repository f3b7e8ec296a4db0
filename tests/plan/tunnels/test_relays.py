"""Laws of relays: only who reaches both ends, never in chains, never to and fro."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kubeslice.plan.tunnels import relays, topology
from kubeslice.plan.tunnels.legs import Leg, State, aged
from kubeslice.plan.tunnels.relays import Situation
from kubeslice.plan.tunnels.topology import Graph, Pair

MEMBERS = ("a", "b", "c", "d", "e")
STATES: tuple[State, ...] = ("UP", "DOWN", "UNKNOWN")
GRAPHS = st.one_of(
    st.just(Graph(MEMBERS)),
    st.builds(
        lambda hubs: Graph(MEMBERS, topology.HUB_AND_SPOKE, hubs), st.frozensets(st.sampled_from("abc"), min_size=1)
    ),
    st.builds(
        lambda allowed: Graph(MEMBERS, topology.RESTRICTED, allowed=allowed),
        st.frozensets(st.sampled_from([(x, y) for x in MEMBERS for y in MEMBERS if x < y])),
    ),
)


def pairs_of(graph: Graph) -> list[Pair]:
    return [topology.pair(*ends) for ends in graph.edges()]


@st.composite
def situations(draw: Any) -> Situation:
    graph = draw(GRAPHS)
    ages = st.sampled_from([0.0, 1.0, 2.5, 5.0, 12.0, 40.0])
    legs = {ends: Leg((draw(st.sampled_from(STATES)),), 100.0 - draw(ages)) for ends in pairs_of(graph)}
    ends = st.tuples(st.sampled_from(MEMBERS), st.sampled_from(MEMBERS)).filter(lambda found: found[0] < found[1])
    in_force = draw(st.dictionaries(ends, st.sampled_from(["", *MEMBERS])))
    return Situation(graph, legs, in_force, 100.0)


@given(situations())
def test_who_carries_reaches_both_ends_by_tunnels_of_its_own(seen: Situation) -> None:
    found = relays.decide(seen)
    for ends, via in found.items():
        legs = relays.legs_of(ends, via)
        if via:
            assert via not in ends
            assert all(seen.graph.has_edge(*leg) for leg in legs)
            assert not any(found.get(leg) for leg in legs), "a chain"
        if via and seen.in_force.get(ends) != via:
            assert all(seen.legs[leg].state == "UP" for leg in legs)


@given(situations())
def test_only_pairs_that_should_be_connected_have_a_detour(seen: Situation) -> None:
    wanted = {*pairs_of(seen.graph), *(ends for ends, _ in seen.graph.carried())}
    assert relays.decide(seen).keys() <= wanted


@given(situations())
def test_what_was_decided_stays_while_nothing_changes(seen: Situation) -> None:
    first = relays.decide(seen)
    again = Situation(seen.graph, seen.legs, first, seen.now)
    assert relays.decide(again) == first


@given(situations())
def test_silence_alone_moves_nothing(seen: Situation) -> None:
    first = relays.decide(seen)
    silent = {ends: Leg(("UNKNOWN",), seen.now) for ends in seen.legs}
    assert relays.decide(Situation(seen.graph, silent, first, seen.now + 100)) == first


@settings(max_examples=60)
@given(
    GRAPHS,
    st.lists(st.tuples(st.floats(0.1, 15.0), st.lists(st.sampled_from(STATES), min_size=10, max_size=10)), max_size=12),
)
def test_a_pair_does_not_move_to_and_fro(graph: Graph, story: list[tuple[float, list[State]]]) -> None:
    history = play(graph, story)
    for ends in {ends for _, found in history for ends in found}:
        moves = [now for (_, before), (now, after) in pairwise(history) if before.get(ends) != after.get(ends)]
        # Three moves cannot come closer together than a carrier takes to be given up.
        assert all(last - first >= relays.FAILED for first, _, last in zip(moves, moves[1:], moves[2:], strict=False))


def play(graph: Graph, story: list[tuple[float, list[State]]]) -> list[tuple[float, Mapping[Pair, str]]]:
    """Return what was decided when, looking whenever something changes and whenever it was asked to look again."""
    now, legs, in_force = 0.0, dict[Pair, Leg](), relays.Relays()
    history: list[tuple[float, Mapping[Pair, str]]] = []
    for lasts, states in story:
        end = now + lasts
        while True:
            told = {ends: (state,) for ends, state in zip(pairs_of(graph), states, strict=False)}
            legs = aged(legs, told, now)
            seen = Situation(graph, legs, in_force, now)
            in_force = relays.decide(seen)
            history.append((now, in_force))
            wait = relays.next_look(seen, in_force)
            if wait is None or now + wait >= end:
                break
            now += max(wait, 0.001)
        now = end
    return history


def leg(state: State, age: float) -> Leg:
    return Leg((state,), 100.0 - age)


def decided(legs: dict[Pair, Leg], in_force: dict[Pair, str] | None = None, graph: Graph | None = None) -> Any:
    return relays.decide(Situation(graph or Graph(("a", "b", "c")), legs, in_force or {}, 100.0))


GOOD = {("a", "c"): leg("UP", 60), ("b", "c"): leg("UP", 60)}


def test_a_pair_that_is_down_for_long_gets_the_member_that_reaches_both() -> None:
    assert decided(GOOD | {("a", "b"): leg("DOWN", 9)}) == {}
    assert decided(GOOD | {("a", "b"): leg("DOWN", 10)}) == {("a", "b"): "c"}


def test_a_pair_that_nobody_reaches_says_so() -> None:
    assert decided({("a", "b"): leg("DOWN", 10), ("a", "c"): leg("DOWN", 1), ("b", "c"): leg("UP", 60)}) == {
        ("a", "b"): ""
    }


def test_a_pair_goes_back_when_its_tunnels_have_been_up_for_long() -> None:
    assert decided(GOOD | {("a", "b"): leg("UP", 29)}, {("a", "b"): "c"}) == {("a", "b"): "c"}
    assert decided(GOOD | {("a", "b"): leg("UP", 30)}, {("a", "b"): "c"}) == {}
    assert decided(GOOD | {("a", "b"): leg("UP", 0)}, {("a", "b"): ""}) == {}


def test_a_pair_goes_back_at_once_when_its_relay_fails() -> None:
    legs = {("a", "b"): leg("UP", 1), ("a", "c"): leg("DOWN", 3), ("b", "c"): leg("UP", 60)}
    assert decided(legs, {("a", "b"): "c"}) == {}


def test_pairs_spread_over_the_members_that_could_carry_them() -> None:
    graph = Graph(("a", "b", "x", "c", "d"))
    legs = {topology.pair(*ends): leg("UP", 60) for ends in graph.edges()}
    legs |= {("a", "b"): leg("DOWN", 20), ("a", "c"): leg("DOWN", 20)}
    assert decided(legs, graph=graph) == {("a", "b"): "d", ("a", "c"): "x"}


def test_spokes_change_their_hub_when_it_loses_one_of_them() -> None:
    graph = Graph(("g", "h", "s", "t"), topology.HUB_AND_SPOKE, frozenset({"g", "h"}))
    ((_, plan),) = graph.carried()
    other = {"g": "h", "h": "g"}[plan]
    legs = {topology.pair(*ends): leg("UP", 60) for ends in graph.edges()}
    assert decided(legs, graph=graph) == {}
    legs[topology.pair(plan, "s")] = leg("DOWN", 3)
    assert decided(legs, graph=graph) == {("s", "t"): other}
    legs[topology.pair(plan, "s")] = leg("UP", 5)
    assert decided(legs, {("s", "t"): other}, graph) == {("s", "t"): other}


def test_time_alone_is_waited_for_only_while_something_is_down_or_carried() -> None:
    good = GOOD | {("a", "b"): leg("UP", 5)}
    graph = Graph(("a", "b", "c"))
    assert relays.next_look(Situation(graph, good, {}, 100.0), {}) is None
    down = GOOD | {("a", "b"): leg("DOWN", 4)}
    assert relays.next_look(Situation(graph, down, {}, 100.0), {}) == 6
    assert relays.next_look(Situation(graph, good, {}, 100.0), {("a", "b"): "c"}) == 25
