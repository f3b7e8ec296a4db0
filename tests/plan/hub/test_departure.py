"""What is waited for when a cluster leaves, and until when."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kubeslice.plan.hub import departure
from kubeslice.plan.hub.departure import DEREGISTERED, PATIENCE, Farewell
from kubeslice.plan.moments import stamp

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def farewell(registration: str | None, *left: str, waited: float | None = None, is_evicted: bool = False) -> Farewell:
    status: dict[str, Any] = {"registrationStatus": registration}
    if waited is not None:
        since = stamp(NOW - timedelta(seconds=waited))
        status["conditions"] = [{"type": DEREGISTERED, "status": "False", "lastTransitionTime": since}]
    return departure.farewell("west", status, left, NOW, is_evicted=is_evicted)


@pytest.mark.parametrize("registration", [None, "Pending", "Deregistered", "Failed"])
def test_a_worker_that_never_came_or_is_done_is_not_waited_for(registration: str | None) -> None:
    assert farewell(registration) == Farewell()


@pytest.mark.parametrize("registration", ["Registered", "InProgress", "DeregisterInProgress"])
def test_a_worker_at_work_is_waited_for_until_a_time_that_is_told(registration: str) -> None:
    found = farewell(registration)
    assert not found.is_over
    assert found.finding is not None
    assert "2026-01-01T12:10:00Z" in found.finding.message
    assert found.after is not None
    assert found.after >= PATIENCE.total_seconds()


def test_what_is_held_is_waited_for_whatever_was_said() -> None:
    found = farewell("Deregistered", *(f"red-{number}" for number in range(7)))
    assert not found.is_over
    assert found.finding is not None
    assert "red-4 and 2 more" in found.finding.message


def test_the_patience_counts_from_when_nothing_but_the_worker_was_waited_for() -> None:
    assert not farewell("Registered", waited=599).is_over
    over = farewell("Registered", "red-west", waited=600)
    assert over.is_over
    assert over.finding is not None
    assert (over.finding.reason, "red-west" in over.finding.message) == ("ClusterDeregisterTimeout", True)


def test_a_cluster_that_is_shut_out_is_not_waited_for() -> None:
    found = farewell("Registered", "red-west", is_evicted=True)
    assert found.is_over
    assert found.finding is not None
    assert found.finding.reason == "ClusterForgotten"


@pytest.mark.parametrize(
    ("said", "is_heard", "word"),
    [
        ("Registered", True, ""),
        ("Registered", False, "DeregisterInProgress"),
        ("DeregisterInProgress", False, "DeregisterInProgress"),
        ("Deregistered", False, ""),
        ("Pending", False, "Pending"),
        ("Failed", False, "Failed"),
        (None, False, ""),
    ],
)
def test_a_cluster_that_leaves_is_not_called_registered_when_its_worker_is_silent(
    said: str | None, is_heard: bool, word: str
) -> None:
    assert departure.leaving(said, is_heard=is_heard) == word


def test_the_hub_speaks_only_while_the_worker_does_not() -> None:
    assert departure.registration("Registered") == ""
    assert [departure.registration(said) for said in (None, "Pending", "Deregistered")] == ["Pending"] * 3
    assert [departure.refused(said) for said in (None, "Pending", "Failed")] == ["Failed"] * 3
    assert departure.refused("Registered") == departure.refused("InProgress") == ""
