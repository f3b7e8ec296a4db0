"""Conditions change only when something changes."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubeslice.model import conditions

TYPES = st.sampled_from(["Ready", "FullyEffective", "Programmed"])
STATUSES = st.sampled_from(["True", "False", "Unknown"])
STEPS = st.lists(st.tuples(TYPES, STATUSES, st.sampled_from(["A", "B"]), st.integers(1, 3)), max_size=12)


def run(steps: Any) -> Any:
    result: list[dict[str, Any]] = []
    for second, (kind, status, reason, generation) in enumerate(steps):
        result = conditions.set_condition(result, kind, status, reason, "", generation, f"t{second:02}")
    return result


@given(STEPS)
def test_each_type_is_there_once_with_what_was_said_last(steps: Any) -> None:
    result = run(steps)
    assert {entry["type"]: (entry["status"], entry["reason"]) for entry in result} == {
        kind: (status, reason) for kind, status, reason, _ in steps
    }
    assert len(result) == len({kind for kind, *_ in steps})


@given(STEPS)
def test_the_time_is_that_of_the_last_change_of_status(steps: Any) -> None:
    for entry in run(steps):
        own = [(second, step) for second, step in enumerate(steps) if step[0] == entry["type"]]
        last = next(second for second, step in reversed(own) if previous(own, second) != step[1])
        assert entry["lastTransitionTime"] == f"t{last:02}"


def previous(own: Any, second: int) -> Any:
    before = [step[1] for at, step in own if at < second]
    return before[-1] if before else None


@given(STEPS, TYPES, STATUSES)
def test_saying_it_again_changes_nothing(steps: Any, kind: str, status: Any) -> None:
    once = conditions.set_condition(run(steps), kind, status, "R", "m", 1, "t50")
    assert conditions.set_condition(once, kind, status, "R", "m", 1, "t99") == once


def test_reading() -> None:
    listed = conditions.set_condition([], "Ready", "True", "R", "m", 1, "t")
    assert conditions.is_true(listed, "Ready")
    assert not conditions.is_true(listed, "Other")
    assert conditions.without(listed, "Ready") == []
