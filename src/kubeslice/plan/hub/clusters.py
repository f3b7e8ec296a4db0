"""How a registered cluster is doing, seen from the hub. Called by the hub's cluster reconciler."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubeslice.model import names
from kubeslice.model.cluster import Cluster
from kubeslice.plan import findings
from kubeslice.plan.findings import Finding
from kubeslice.plan.moments import stamp
from kubeslice.plan.tenants.tenancy import Member

# A worker reports every 5 s: two reports may get lost, and 15 s after it vanished it is known to be unreachable.
SILENCE_LIMIT = 14.0
REACHABLE = "Reachable"
CREDENTIALS_READY = "CredentialsReady"


@dataclass(frozen=True)
class Pulse:
    """A worker's heartbeat: `age` in seconds since it last changed, None when there never was one.

    `is_first` says that this hub has seen one value only, so that the age is no more than the time it has been looking.
    """

    age: float | None
    is_first: bool = False


def reachable(cluster: str, pulse: Pulse, *, was_reachable: bool, limit: float = SILENCE_LIMIT) -> Finding:
    """Judge a heartbeat by the hub's own clock, because a worker's may be wrong.

    A hub that has just started gives a cluster the benefit of the doubt only where its predecessor did.
    """
    if pulse.age is None:
        return Finding(REACHABLE, "Unknown", "WaitingForWorker", f"no worker of {cluster} has been heard of yet")
    if pulse.age > limit or (pulse.is_first and not was_reachable):
        sentence = f"the worker of {cluster} has not been heard of for more than {limit:.0f} s"
        return Finding(REACHABLE, "False", "Silent", f"{sentence}; nothing was changed because of it")
    return Finding(REACHABLE, "True", "Heard", f"the worker of {cluster} reports regularly")


def is_heard(cluster: Cluster) -> bool:
    """Tell whether somebody speaks for a cluster: it is not shut out, and nobody says that its worker is silent."""
    heard = next((entry for entry in cluster.status.conditions if entry.type == REACHABLE), None)
    return not cluster.spec.evicted and (heard is None or heard.status != "False")


def judge(
    project: str,
    cluster: str,
    status: Mapping[str, Any],
    heard: Finding,
    *,
    has_token: bool,
    held: datetime | None = None,
) -> list[Finding]:
    """Return the findings about a cluster: its credential, its heartbeat, and both summed up with its registration.

    `has_token` tells that there is one to join with, `held` until when the worker has a credential of its own.
    """
    secret = f"{names.project_namespace(project)}/{names.worker_account(cluster)}"
    credential = Finding(CREDENTIALS_READY, "True", "Issued", f"the worker's credential is in Secret {secret}")
    if held is not None:
        sentence = f"the worker of {cluster} renews its credential itself; the present one is good until {stamp(held)}"
        credential = Finding(CREDENTIALS_READY, "True", "Held", sentence)
    elif not has_token:
        sentence = f"waits for the API server to put a token into Secret {secret}"
        credential = Finding(CREDENTIALS_READY, "False", "WaitingForToken", sentence)
    return [_ready(Member(project, cluster), secret, status, heard, credential), credential, heard]


def evicted(cluster: str) -> Finding:
    """Return the finding that a cluster is shut out."""
    return findings.not_ready(
        "Evicted",
        f"{cluster} is shut out: it is in no slice, its keys and certificates are revoked, its worker has no "
        f"credential; `kubeslice cluster evict {cluster} --undo` lets it in again, with a new credential",
    )


def _ready(member: Member, secret: str, status: Mapping[str, Any], heard: Finding, credential: Finding) -> Finding:
    cluster = member.name
    if credential.status != "True":
        return findings.not_ready(credential.reason, credential.message)
    registration = status.get("registrationStatus")
    if registration not in ("InProgress", "Registered"):
        sentence = (
            f"no worker has registered: let {cluster} join with `kubeslice cluster join-token {cluster} --project "
            f"{member.project}`, or install the worker there with the credential in Secret {secret}"
        )
        return findings.not_ready("WaitingForWorker", sentence)
    if heard.status == "False":
        return findings.not_ready("Unreachable", heard.message)
    if registration == "InProgress":
        return findings.not_ready("WaitingForRegistration", f"{cluster} joins: {_said(status)}")
    return findings.ready("Registered", f"{cluster} is registered and its worker reports")


def _said(status: Mapping[str, Any]) -> str:
    """Return what the worker says about its registration."""
    known = [entry for entry in status.get("conditions") or [] if entry.get("type") == "Registered"]
    return str(known[0].get("message")) if known else "its worker does not say what is missing"
