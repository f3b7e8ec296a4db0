"""What a Deployment's status says: counts, and the conditions Available and Progressing. Pure.

Source: pkg/controller/deployment (sync.go, progress.go). `kubectl rollout status` reads exactly this.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.lab.controllers import pods, replicas, rollout
from kubeslice.lab.controllers.statuses import compact

Condition = dict[str, Any]


def status(deployment: Object, sets: Sequence[Object], now: datetime) -> dict[str, Any]:
    """Return the status that the ReplicaSets add up to."""
    newest = rollout.current(deployment, sets)
    available = _total(sets, "availableReplicas")
    counts = {
        "observedGeneration": deployment["metadata"].get("generation"),
        "replicas": _total(sets, "replicas"),
        "updatedReplicas": _count(newest, "replicas"),
        "readyReplicas": _total(sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(map(replicas.wanted, sets)) - available),
        "collisionCount": objects.status(deployment).get("collisionCount"),
    }
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions = [_available(deployment, available), _progressing(deployment, newest, counts, now)]
    merged = [_dated(wanted, objects.condition(deployment, wanted["type"]), stamp) for wanted in conditions]
    return {**compact(counts), "conditions": merged}


def deadline(deployment: Object, now: datetime) -> float | None:
    """Return the seconds until the rollout counts as stuck, or None when that cannot happen by waiting."""
    condition = objects.condition(deployment, "Progressing")
    if condition is None or condition["reason"] in {"NewReplicaSetAvailable", "ProgressDeadlineExceeded"}:
        return None
    return max(0.1, _seconds_allowed(deployment) - _seconds_since(condition, now))


def is_complete(deployment: Object, counts: dict[str, Any]) -> bool:
    """Tell whether every replica is of the current template and available, and no other is left."""
    wanted = replicas.wanted(deployment)
    return bool(
        counts["updatedReplicas"] == wanted and counts["replicas"] == wanted and counts["availableReplicas"] == wanted
    )


def _available(deployment: Object, available: int) -> Condition:
    if available >= replicas.wanted(deployment) - rollout.limits(deployment).unavailable:
        sentence = "Deployment has minimum availability."
        return {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "message": sentence}
    sentence = "Deployment does not have minimum availability."
    return {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable", "message": sentence}


def _progressing(deployment: Object, newest: Object | None, counts: dict[str, Any], now: datetime) -> Condition:
    name = objects.name(newest) if newest else ""
    seen = objects.condition(deployment, "Progressing")
    if newest is not None and is_complete(deployment, counts):
        return _progress("True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.')
    if _has_moved(deployment, counts) or seen is None or seen["reason"] == "NewReplicaSetAvailable":
        return _progress("True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
    if seen["reason"] != "ProgressDeadlineExceeded" and _seconds_since(seen, now) < _seconds_allowed(deployment):
        return _progress(seen["status"], seen["reason"], seen["message"])
    return _progress("False", "ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.')


def _progress(state: str, reason: str, message: str) -> Condition:
    return {"type": "Progressing", "status": state, "reason": reason, "message": message}


def _has_moved(deployment: Object, counts: dict[str, Any]) -> bool:
    seen = objects.status(deployment)
    grew = any(
        counts[field] > int(seen.get(field) or 0) for field in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
    old_now = counts["replicas"] - counts["updatedReplicas"]
    old_before = int(seen.get("replicas") or 0) - int(seen.get("updatedReplicas") or 0)
    is_new = counts["observedGeneration"] != seen.get("observedGeneration")
    return grew or old_now < old_before or is_new


def _dated(wanted: Condition, seen: Condition | None, stamp: str) -> Condition:
    keeps_status = seen is not None and seen["status"] == wanted["status"]
    is_same = seen is not None and keeps_status and seen["reason"] == wanted["reason"]
    progressed = wanted["reason"] == "ReplicaSetUpdated" and not (seen and wanted["message"] == seen["message"])
    updated = seen["lastUpdateTime"] if seen and is_same and not progressed else stamp
    moved = seen["lastTransitionTime"] if seen and keeps_status else stamp
    return {**wanted, "lastUpdateTime": updated, "lastTransitionTime": moved}


def _seconds_allowed(deployment: Object) -> float:
    return float(objects.spec(deployment).get("progressDeadlineSeconds") or 600)


def _seconds_since(condition: Condition, now: datetime) -> float:
    return (now - pods.parse_time(condition.get("lastUpdateTime") or "")).total_seconds()


def _total(sets: Sequence[Object], field: str) -> int:
    return sum(_count(each, field) for each in sets)


def _count(each: Object | None, field: str) -> int:
    return int(objects.status(each).get(field) or 0) if each else 0
