"""How the hub judges a cluster."""

from typing import Any

import pytest

from kubeslice.plan.findings import Finding
from kubeslice.plan.hub import clusters
from kubeslice.plan.hub.clusters import Pulse
from kubeslice.plan.tenants.tenancy import Member


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


def told(found: list[Finding]) -> dict[str, tuple[str, str]]:
    return {finding.type: (finding.status, finding.reason) for finding in found}


# What a worker wrote before something happened to its cluster.
WELL = [
    {"type": kind, "status": "True", "reason": "Fine", "message": "fine"}
    for kind in ("Registered", "ComponentsHealthy", "CredentialRenewed")
]
WEST = Member("shop", "west")


def judged(registration: str | None, age: float | None, **fields: Any) -> list[Finding]:
    heard = clusters.reachable("west", Pulse(age), was_reachable=True)
    status = {"registrationStatus": registration, "conditions": WELL, **fields}
    return clusters.judge("shop", "west", status, heard, has_token=True)


def test_what_a_worker_said_stands_while_it_is_heard_of_and_its_registration_when_it_is_not() -> None:
    silent = ("Unknown", "Silent")
    assert told(judged("Registered", 1.0)).keys() == {"Ready", "CredentialsReady", "Reachable"}
    found = told(judged("Registered", 20.0))
    assert (found["Ready"], found["Reachable"]) == (("False", "Unreachable"), ("False", "Silent"))
    assert (found["ComponentsHealthy"], found["CredentialRenewed"], "Registered" in found) == (silent, silent, False)


@pytest.mark.parametrize("registration", [None, "Pending", "Failed", "Deregistered"])
def test_a_cluster_that_nobody_speaks_for_is_not_registered_and_says_how_it_joins(registration: str | None) -> None:
    found = judged(registration, None)
    waits = ("False", "WaitingForWorker")
    assert told(found)["Ready"] == told(found)["Registered"] == waits
    assert told(found)["ComponentsHealthy"] == ("Unknown", "WaitingForWorker")
    for finding in found:
        if finding.reason == "WaitingForWorker" and finding.type != "Reachable":
            assert "`kubeslice cluster join-token west --project shop`" in finding.message


def test_a_cluster_that_is_new_has_no_conditions_of_a_worker() -> None:
    heard = clusters.reachable("west", Pulse(None), was_reachable=True)
    found = told(clusters.judge("shop", "west", {}, heard, has_token=True))
    assert found.keys() == {"Ready", "CredentialsReady", "Reachable", "Registered"}


def test_nothing_good_is_said_of_a_cluster_that_is_shut_out_and_everything_names_the_remedy() -> None:
    found = clusters.evicted(WEST, {"registrationStatus": "Registered", "conditions": WELL})
    kinds = {"Ready", "Registered", "Reachable", "CredentialsReady", "ComponentsHealthy", "CredentialRenewed"}
    assert told(found).keys() == kinds
    assert {finding.reason for finding in found} == {"Evicted"}
    assert "True" not in {finding.status for finding in found}
    assert all("evict west --undo --project shop" in finding.message for finding in found)


def test_a_silent_worker_without_a_good_credential_has_to_join_again() -> None:
    lost = judged("Registered", 20.0, credential={"accountUID": "old"})[0]
    assert (lost.reason, "ended or was revoked: west has to join" in lost.message) == ("Unreachable", True)
    assert "join" not in judged("Registered", 20.0)[0].message


def test_only_a_cluster_that_the_hub_has_a_place_for_is_awaited() -> None:
    awaited = {said: clusters.awaited(WEST, {"registrationStatus": said}) for said in ("Pending", "Failed", None)}
    assert [said for said, sentence in awaited.items() if sentence] == ["Pending"]
