"""How the hub judges a cluster."""

import pytest

from kubeslice.plan.hub import clusters
from kubeslice.plan.hub.clusters import Pulse


@pytest.mark.parametrize(
    ("pulse", "was_reachable", "status"),
    [
        (Pulse(None), True, "Unknown"),
        (Pulse(3.0), True, "True"),
        (Pulse(16.0), True, "False"),
        (Pulse(3.0), False, "True"),
        (Pulse(3.0, is_first=True), True, "True"),
        (Pulse(3.0, is_first=True), False, "False"),
        (Pulse(16.0, is_first=True), True, "False"),
    ],
)
def test_a_worker_is_reachable_while_its_heart_beats(pulse: Pulse, was_reachable: bool, status: str) -> None:
    assert clusters.reachable("west", pulse, was_reachable=was_reachable).status == status


@pytest.mark.parametrize(
    ("registration", "age", "has_token", "reason"),
    [
        ("Registered", 1.0, True, "Registered"),
        ("Registered", 20.0, True, "Unreachable"),
        ("Registered", 1.0, False, "WaitingForToken"),
        (None, None, True, "WaitingForWorker"),
        ("Pending", None, True, "WaitingForWorker"),
        ("Deregistered", 1.0, True, "WaitingForWorker"),
        ("InProgress", 1.0, True, "WaitingForRegistration"),
        ("InProgress", 20.0, True, "Unreachable"),
    ],
)
def test_ready_sums_up_what_is_missing(
    registration: str | None, age: float | None, has_token: bool, reason: str
) -> None:
    heard = clusters.reachable("west", Pulse(age), was_reachable=True)
    status = {"registrationStatus": registration} if registration else {}
    found = {f.type: f for f in clusters.judge("shop", "west", status, heard, has_token=has_token)}
    assert found["Ready"].reason == reason
    assert (found["Ready"].status == "True") == (reason == "Registered")


def test_a_cluster_nobody_joined_says_where_the_credential_is() -> None:
    heard = clusters.reachable("west", Pulse(None), was_reachable=True)
    found = clusters.judge("shop", "west", {}, heard, has_token=True)[0]
    assert "kubeslice-shop/kubeslice-rbac-worker-west" in found.message


def test_a_worker_that_is_not_complete_is_quoted() -> None:
    said = {"type": "Registered", "status": "False", "message": "the cluster lacks a node"}
    status = {"registrationStatus": "InProgress", "conditions": [said]}
    heard = clusters.reachable("west", Pulse(1.0), was_reachable=True)
    found = clusters.judge("shop", "west", status, heard, has_token=True)[0]
    assert found.message == "west joins: the cluster lacks a node"
