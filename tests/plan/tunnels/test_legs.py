"""How two ends' words about one tunnel are put together."""

import pytest

from kubeslice.plan.tunnels import legs
from kubeslice.plan.tunnels.legs import End, Leg, State

UP: tuple[State, ...] = ("UP", "UP")
HALF: tuple[State, ...] = ("UP", "DOWN")
DOWN: tuple[State, ...] = ("DOWN", "DOWN")
UNKNOWN: tuple[State, ...] = ("UNKNOWN", "UNKNOWN")


def test_what_is_not_told_is_unknown() -> None:
    reported = [{"plane": 1, "state": "UP"}, {"plane": 3, "state": "UP"}, {"plane": 0, "state": "UNKNOWN"}]
    assert legs.told(reported, 3) == ("UNKNOWN", "UP", "UNKNOWN")
    assert legs.told([], 2) == UNKNOWN


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        (End(UP), End(UP), UP),
        (End(UP), End(HALF), ("UP", "UNKNOWN")),
        (End(DOWN), End(DOWN, is_heard=False), DOWN),
        (End(UP, is_heard=False), End(DOWN), DOWN),
        (End(DOWN, is_heard=False), End(DOWN, is_heard=False), UNKNOWN),
    ],
)
def test_a_tunnel_is_what_all_say_who_are_heard(one: End, other: End, wanted: tuple[State, ...]) -> None:
    assert legs.joined(one, other) == legs.joined(other, one) == wanted


def test_the_other_end_speaks_for_a_silent_one() -> None:
    assert legs.counted(End(UP, is_heard=False), End(DOWN)) == DOWN
    assert legs.counted(End(UP), End(DOWN)) == UP
    assert legs.counted(End(UP, is_heard=False), End(DOWN, is_heard=False)) == UP


def test_a_leg_is_up_with_one_plane_and_down_with_none() -> None:
    assert [Leg(states).state for states in (UP, HALF, DOWN, UNKNOWN, ("DOWN", "UNKNOWN"), ())] == [
        "UP", "UP", "DOWN", "UNKNOWN", "UNKNOWN", "UNKNOWN",
    ]  # fmt: skip


def test_a_state_is_as_old_as_its_last_turn() -> None:
    before = legs.aged({}, {("a", "b"): UP}, 1.0)
    assert legs.aged(before, {("a", "b"): HALF}, 5.0)["a", "b"] == Leg(HALF, 1.0)
    assert legs.aged(before, {("a", "b"): DOWN}, 5.0)["a", "b"] == Leg(DOWN, 5.0)
    assert legs.aged(before, {}, 5.0) == {}
