"""What a Pod object says about itself. Pure; every controller here asks these questions in the same words.

Source: k8s.io/kubernetes/pkg/api/v1/pod and pkg/controller/controller_utils.go.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object

ENDED = ("Succeeded", "Failed")


def owner(obj: Object) -> dict[str, Any] | None:
    """Return the owner reference of the managing controller, if there is one."""
    references = obj["metadata"].get("ownerReferences") or []
    return next((reference for reference in references if reference.get("controller")), None)


def is_owned_by(obj: Object, uid: str) -> bool:
    """Tell whether the object of that uid manages this one."""
    reference = owner(obj)
    return reference is not None and reference["uid"] == uid


def phase(pod: Object) -> str:
    """Return status.phase, or Pending before the kubelet said anything."""
    return str(objects.status(pod).get("phase") or "Pending")


def has_ended(pod: Object) -> bool:
    """Tell whether all containers ended for good."""
    return phase(pod) in ENDED


def is_active(pod: Object) -> bool:
    """Tell whether the pod counts for its controller: it has not ended and is not being deleted."""
    return not has_ended(pod) and not objects.is_deleting(pod)


def is_ready(pod: Object) -> bool:
    """Tell whether the Ready condition holds."""
    return objects.is_true(pod, "Ready")


def node(pod: Object) -> str:
    """Return the node the pod is bound to, or ""."""
    return str(objects.spec(pod).get("nodeName") or "")


def address(pod: Object) -> str:
    """Return the pod's address, or ""."""
    return str(objects.status(pod).get("podIP") or "")


def seconds_until_available(pod: Object, min_ready: int, now: datetime) -> float | None:
    """Say when a pod will have been ready for `min_ready` seconds: 0 means now, None means that it is not ready."""
    condition = objects.condition(pod, "Ready")
    if condition is None or condition.get("status") != "True":
        return None
    if min_ready == 0:
        return 0.0
    since = parse_time(condition.get("lastTransitionTime") or "")
    return max(0.0, min_ready - (now - since).total_seconds())


def is_available(pod: Object, min_ready: int, now: datetime) -> bool:
    """Tell whether the pod has been ready for `min_ready` seconds."""
    return seconds_until_available(pod, min_ready, now) == 0.0


def soonest(waits: Iterable[float | None]) -> float | None:
    """Return the shortest wait that is not over, for looking again then."""
    return min((wait for wait in waits if wait), default=None)


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 time; the beginning of time when there is none."""
    if not text:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.fromisoformat(text)


def deletion_rank(pod: Object, neighbours: int) -> tuple[Any, ...]:
    """Order pods for scaling down, first to go first: unbound, unstarted, unready, crowded, restarting, young.

    `neighbours` is how many active pods of the same owner share the node.
    """
    states = objects.status(pod).get("containerStatuses") or []
    restarts = max((int(state.get("restartCount") or 0) for state in states), default=0)
    created = parse_time(pod["metadata"].get("creationTimestamp") or "")
    cost = int(objects.annotations(pod).get("controller.kubernetes.io/pod-deletion-cost") or 0)
    return (
        bool(node(pod)),
        ("Pending", "Unknown", "Running").index(phase(pod)) if phase(pod) in ("Pending", "Unknown", "Running") else 0,
        is_ready(pod),
        cost,
        -neighbours,
        -restarts,
        -created.timestamp() if created.year > 1 else 0.0,
        objects.name(pod),
    )
