"""How a registered cluster is doing, seen from the hub. Called by the hub's cluster reconciler.

What a worker said stays in the status when it says nothing any more. Where it is not so any more, or nobody can know,
the hub says that in its place, as Kubernetes does for a node; the worker takes its conditions back by reporting.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubeslice.model import conditions, names
from kubeslice.model.cluster import Cluster
from kubeslice.plan import findings
from kubeslice.plan.findings import Finding
from kubeslice.plan.hub import departure
from kubeslice.plan.moments import stamp
from kubeslice.plan.tenants.tenancy import Member

# A worker reports every 5 s: two reports may get lost, and 15 s after it vanished it is known to be unreachable.
SILENCE_LIMIT = 14.0
REACHABLE = "Reachable"
CREDENTIALS_READY = "CredentialsReady"
REGISTERED = "Registered"
# What else a worker says of its cluster, for as long as it is heard of.
OF_WORKERS = ("ComponentsHealthy", "CredentialRenewed")


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
        return Finding(REACHABLE, "Unknown", "WaitingForWorker", f"no worker of {cluster} has joined")
    if pulse.age > limit or (pulse.is_first and not was_reachable):
        sentence = f"the worker of {cluster} has not been heard of for more than {limit:.0f} s"
        return Finding(REACHABLE, "False", "Silent", f"{sentence}; nothing was changed because of it")
    return Finding(REACHABLE, "True", "Heard", f"the worker of {cluster} reports regularly")


def is_heard(cluster: Cluster) -> bool:
    """Tell whether somebody speaks for a cluster: it is not shut out, and nobody says that its worker is silent."""
    heard = next((entry for entry in cluster.status.conditions if entry.type == REACHABLE), None)
    return not cluster.spec.evicted and (heard is None or heard.status != "False")


def is_shut_out(status: Mapping[str, Any]) -> bool:
    """Tell whether the hub has done what an eviction asks for."""
    return any(entry.get("reason") == "Evicted" for entry in status.get("conditions") or [])


def awaited(member: Member, status: Mapping[str, Any]) -> str:
    """Return what has to be done before a worker speaks for a cluster that the hub has a place for; "" when nothing."""
    return joining(member) if status.get("registrationStatus") == departure.PENDING else ""


def joining(member: Member) -> str:
    """Return what lets a worker speak for a cluster."""
    return not_joined(member).message


def in_its_place(status: Mapping[str, Any], heard: Finding, out: Finding | None = None) -> list[Finding]:
    """Return what the hub says of a worker's conditions: nothing while that is heard of.

    `out` tells why no worker can speak: it is shut out, or none has joined.
    """
    why = heard if heard.status == "False" else out
    if why is None:
        return []
    known = {entry.get("type") for entry in status.get("conditions") or []}
    unknown = [Finding(type_, "Unknown", why.reason, why.message) for type_ in OF_WORKERS if type_ in known]
    return [Finding(REGISTERED, "False", out.reason, out.message), *unknown] if out else unknown


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
    member = Member(project, cluster)
    ready = _ready(member, status, heard, credential, is_held=held is not None)
    out = not_joined(member) if departure.registration(status.get("registrationStatus")) else None
    return [ready, credential, heard, *in_its_place(status, heard, out)]


def not_joined(member: Member) -> Finding:
    """Return the finding that no worker speaks for a cluster."""
    cluster, secret = member.name, f"{names.project_namespace(member.project)}/{names.worker_account(member.name)}"
    sentence = (
        f"{cluster} has to join with `kubeslice cluster join-token {cluster} --project {member.project}` and "
        f"`kubeslice worker join`, or by installing the worker there with the credential in Secret {secret}"
    )
    return findings.not_ready("WaitingForWorker", sentence)


def evicted(member: Member, status: Mapping[str, Any]) -> list[Finding]:
    """Return the findings about a cluster that is shut out: one sentence, whatever is asked."""
    cluster = member.name
    sentence = (
        f"{cluster} is shut out: it is in no slice, its keys and certificates are revoked, its worker has no "
        f"credential; `kubeslice cluster evict {cluster} --undo --project {member.project}` lets it in again, and then "
        "it has to join anew"
    )
    ready = findings.not_ready("Evicted", sentence)
    credential = Finding(CREDENTIALS_READY, "False", "Evicted", sentence)
    heard = Finding(REACHABLE, "Unknown", "Evicted", sentence)
    return [ready, credential, heard, *in_its_place(status, heard, ready)]


def _ready(member: Member, status: Mapping[str, Any], heard: Finding, credential: Finding, *, is_held: bool) -> Finding:
    cluster = member.name
    if credential.status != "True":
        return findings.not_ready(credential.reason, credential.message)
    registration = status.get("registrationStatus")
    if registration not in ("InProgress", "Registered"):
        return not_joined(member)
    if heard.status == "False":
        is_lost = bool(status.get("credential")) and not is_held
        remedy = f"; the credential that it had has ended or was revoked: {joining(member)}" if is_lost else ""
        return findings.not_ready("Unreachable", f"{heard.message}{remedy}")
    if registration == "InProgress":
        return findings.not_ready("WaitingForRegistration", f"{cluster} joins: {_said(status)}")
    return findings.ready("Registered", f"{cluster} is registered and its worker reports")


def _said(status: Mapping[str, Any]) -> str:
    """Return what the worker says about its registration."""
    known = conditions.find(status.get("conditions") or [], REGISTERED)
    return str(known.get("message")) if known else "its worker does not say what is missing"
