"""When the ends of a tunnel change places."""

from kubeslice.plan.tunnels import roles
from kubeslice.plan.tunnels.legs import Leg
from kubeslice.plan.tunnels.relays import Situation
from kubeslice.plan.tunnels.topology import Graph

AB = ("a", "b")


def down_since(since: float, now: float) -> Situation:
    return Situation(Graph(AB), {AB: Leg(("DOWN",), since)}, {}, now)


def test_the_other_end_calls_after_a_while_and_then_rarely() -> None:
    assert roles.due(down_since(100, 105), {}) == {AB: 10}
    assert roles.due(down_since(100, 115), {}) == {AB: 0}
    assert roles.due(down_since(100, 116), {AB: 115.0}) == {AB: 59}
    assert roles.due(down_since(200, 201), {AB: 115.0}) == {AB: 14}, "an earlier outage does not count"


def test_a_pair_that_is_up_keeps_its_roles() -> None:
    assert roles.due(Situation(Graph(AB), {AB: Leg(("UP",), 0)}, {}, 100), {}) == {}


def test_ends_change_places_and_back() -> None:
    once = roles.swapped([], [AB])
    assert once == {AB}
    assert roles.swapped(once, []) == {AB}
    assert roles.swapped(once, [AB]) == frozenset()
