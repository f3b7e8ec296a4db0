"""How a cluster leaves the hub: its worker cleans up and says so, or it is given up. Called by `hub.departures`.

Nothing is forced before the patience is over, unless somebody says that the worker is gone for good. The time counts
from when nothing but the worker was waited for, and is in a condition, so that a hub that starts again goes on with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kubeslice.plan.findings import Finding
from kubeslice.plan.moments import moment, stamp

PATIENCE = timedelta(minutes=10)
DEREGISTERED = "Deregistered"
PENDING, FAILED = "Pending", "Failed"
# What a worker says of itself while there is something of KubeSlice in its cluster.
AT_WORK = frozenset({"InProgress", "Registered", "DeregisterInProgress"})
# What only a worker says: whoever said one of these has joined.
JOINED = AT_WORK | {DEREGISTERED}


@dataclass(frozen=True)
class Farewell:
    """What people are told about a cluster that leaves, if anything, and whether the hub may go on without its worker.

    `after` is in how many seconds that may be so though nothing is reported.
    """

    finding: Finding | None = None
    is_over: bool = True
    after: float | None = None


def registration(said: str | None) -> str:
    """Return what the hub has to say about a Cluster's registration; "" while the worker's own word stands.

    A cluster that was on its way out and is here again has to be joined anew.
    """
    return "" if said in ("InProgress", "Registered") else PENDING


def refused(said: str | None) -> str:
    """Return the same for a Cluster that the hub refuses: nobody can join as it."""
    return FAILED if registration(said) else ""


def leaving(said: str | None, *, is_heard: bool) -> str:
    """Return what the hub says about the registration of a Cluster that is being deleted; "" leaves it to the worker.

    A silent worker does not say that it cleans up, and what was said before it fell silent is not so any more.
    """
    if said in AT_WORK:
        return "" if is_heard else "DeregisterInProgress"
    return "" if said == DEREGISTERED else said or ""


def farewell(
    cluster: str,
    status: Mapping[str, Any],
    left: Sequence[str],
    now: datetime,
    *,
    is_evicted: bool,
) -> Farewell:
    """Decide about a Cluster that is being deleted and is in no slice.

    `left` names what the worker holds on to; a cluster that is shut out is not waited for.
    """
    if not left and status.get("registrationStatus") not in AT_WORK:
        return Farewell()
    deadline = (_since(status) or now) + PATIENCE
    if is_evicted:
        return Farewell(_given_up("ClusterForgotten", f"the worker of {cluster}, which is shut out", left))
    if now >= deadline:
        sentence = f"the worker of {cluster}, which did not say within {PATIENCE.seconds // 60} min that it is done"
        return Farewell(_given_up("ClusterDeregisterTimeout", sentence, left))
    what = _listing(left) or "what is in its cluster"
    sentence = (
        f"waits for the worker of {cluster} to clean up {what}; goes on without it at {stamp(deadline)}, or at once "
        f"with `kubeslice cluster forget {cluster}` when that cluster is gone for good"
    )
    finding = Finding(DEREGISTERED, "False", "WaitingForWorker", sentence)
    return Farewell(finding, is_over=False, after=(deadline - now).total_seconds() + 0.05)


def _given_up(reason: str, whom: str, left: Sequence[str]) -> Finding:
    what = f" and takes {_listing(left)} away from it" if left else ""
    sentence = f"goes on without {whom}{what}; if that cluster is still there, uninstall KubeSlice in it"
    return Finding(DEREGISTERED, "False", reason, sentence)


def _since(status: Mapping[str, Any]) -> datetime | None:
    known = [entry for entry in status.get("conditions") or [] if entry.get("type") == DEREGISTERED]
    return moment(known[0].get("lastTransitionTime")) if known else None


def _listing(left: Sequence[str]) -> str:
    shown = ", ".join(left[:5])
    return f"{shown} and {len(left) - 5} more" if len(left) > 5 else shown
