"""How many pods a disruption budget lets go."""

from typing import Any

import pytest

from kubeslice.lab.controllers.budgets import status

NOW = "2026-01-01T00:01:00Z"


def budget(known: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "b", "generation": 3}, "spec": spec, "status": known or {}}


def pods(ready: int, unready: int = 0) -> list[dict[str, Any]]:
    states = ["True"] * ready + ["False"] * unready
    return [
        {
            "metadata": {"name": f"p{number}"},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": state}]},
        }
        for number, state in enumerate(states)
    ]


@pytest.mark.parametrize(
    ("spec", "ready", "unready", "allowed"),
    [
        ({"minAvailable": 2}, 3, 0, 1),
        ({"minAvailable": 2}, 2, 1, 0),
        ({"minAvailable": "50%"}, 4, 0, 2),
        ({"minAvailable": "51%"}, 4, 0, 1),
        ({"maxUnavailable": 1}, 4, 0, 1),
        ({"maxUnavailable": 1}, 3, 1, 0),
        ({"maxUnavailable": "25%"}, 4, 0, 1),
        ({"maxUnavailable": 0}, 4, 0, 0),
        ({"minAvailable": 0}, 0, 0, 0),
    ],
)
def test_what_is_allowed(spec: dict[str, Any], ready: int, unready: int, allowed: int) -> None:
    found = status(budget(**spec), pods(ready, unready), ready + unready, NOW)
    assert found["disruptionsAllowed"] == allowed
    assert found["conditions"][0]["status"] == ("True" if allowed else "False")
    assert found["observedGeneration"] == 3


def test_a_pod_whose_eviction_was_allowed_is_counted_out_for_a_while() -> None:
    known = {"disruptedPods": {"p0": "2026-01-01T00:00:30Z", "p1": "2025-12-31T23:00:00Z", "gone": NOW}}
    found = status(budget(known, minAvailable=2), pods(3), 3, NOW)
    assert (found["currentHealthy"], found["disruptionsAllowed"]) == (2, 0)
    assert found["disruptedPods"] == {"p0": "2026-01-01T00:00:30Z"}
