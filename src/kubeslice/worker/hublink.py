"""Whether the hub answers and accepts the credential; what people are told when it does not.

The heartbeat finds out; slices show it as a condition. Nothing is torn down because of it.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from kubeslice.kube.errors import ApiError, Forbidden, NotFound, Unauthorized
from kubeslice.model import names
from kubeslice.plan.cluster.worker_report import HUB_REACHABLE
from kubeslice.plan.findings import Finding
from kubeslice.plan.moments import stamp
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.worker.metrics import WorkerMetrics

log = logging.getLogger(__name__)

REACHABLE = Finding(HUB_REACHABLE, "True", "Connected", "the hub answers")
KNOWN_TO_HUB = "KnownToHub"
UNTRIED = Finding(HUB_REACHABLE, "Unknown", "WaitingForHub", "the hub has not answered yet")


class HubLink:
    """The state of the connection to the hub, for which the credential is in `secret`. `subscribe` hears of turns."""

    def __init__(self, member: Member, secret: str, metrics: WorkerMetrics) -> None:
        self.finding = UNTRIED
        self._member = member
        self._secret = secret
        self._reachable = metrics.hub_reachable.labels(member.project)
        self._subscribers: list[Callable[[], None]] = []

    def subscribe(self, subscriber: Callable[[], None]) -> None:
        """Call `subscriber` whenever the finding changes."""
        self._subscribers.append(subscriber)

    def succeeded(self) -> None:
        """Note that the hub took a report."""
        self._become(REACHABLE)

    def failed(self, error: ApiError) -> bool:
        """Note that the hub did not take a report; return whether that is news."""
        return self._become(refusal(self._member, self._secret, error))

    def _become(self, finding: Finding) -> bool:
        if (finding.status, finding.reason) == (self.finding.status, self.finding.reason):
            return False
        self.finding = finding
        self._reachable.set(1 if finding.status == "True" else 0)
        log.log(logging.INFO if finding.status == "True" else logging.ERROR, "%s", finding.message)
        for subscriber in self._subscribers:
            subscriber()
        return True


def refusal(member: Member, secret: str, error: ApiError) -> Finding:
    """Return what an error of the hub means and what to do about it."""
    cluster = member.name
    renew = (
        f"join again with `kubeslice cluster join-token {cluster} --project {member.project}` and `kubeslice worker "
        f"join`, or copy the Secret {names.worker_account(cluster)} from {names.project_namespace(member.project)} on "
        f"the hub into the Secret {secret} in {names.WORKER_NAMESPACE}"
    )
    match error:
        case Unauthorized():
            reason, message = "CredentialRefused", f"the hub refuses the credential as expired or revoked: {renew}"
        case Forbidden():
            reason = "CredentialOfAnother"
            message = f"the hub does not let this credential report on cluster {cluster}: {renew}"
        case NotFound():
            reason = "ClusterNotRegistered"
            message = (
                f"the hub does not know cluster {cluster}: apply a Cluster of this name to the project's namespace"
            )
        case _:
            reason, message = "HubUnreachable", f"the hub cannot be reached: {error.message}"
    return Finding(HUB_REACHABLE, "False", reason, f"{message}; slices go on as they are")


def memory(title: str, until: datetime | None) -> Finding:
    """Return whether the hub knows of a slice that is here; one that it forgot goes on `until` then."""
    if until is None:
        return Finding(KNOWN_TO_HUB, "True", "Known", "the hub wants the slice here")
    message = (
        f"the hub does not know slice {title} any more, though nobody deleted it, as after a restored backup: apply "
        f"its SliceConfig again, or delete this Slice; it goes on until {stamp(until)}"
    )
    return Finding(KNOWN_TO_HUB, "False", "Forgotten", message)


def not_joined(project: str) -> Finding:
    """Return what is said of a slice whose project has no credential here any more."""
    message = (
        f"there is no Secret {names.further_hub_secret(project)} with a credential for the hub of project {project}: "
        "join again with `kubeslice worker join`; the slice goes on as it is"
    )
    return Finding(HUB_REACHABLE, "False", "NotJoined", message)
