"""When a node counts as silent, and what its object says then: conditions and taints. Pure.

Source: pkg/controller/nodelifecycle: a kubelet that did not renew its Lease for the grace period is not heard any more.
"""

from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object

UNREACHABLE = "node.kubernetes.io/unreachable"
NOT_READY = "node.kubernetes.io/not-ready"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
OURS = (UNREACHABLE, NOT_READY, UNSCHEDULABLE)
DOUBTED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


def readiness(node: Object) -> str:
    """Return the status of the Ready condition: True, False or Unknown; "" before the kubelet said anything."""
    return str((objects.condition(node, "Ready") or {}).get("status") or "")


def doubted(node: Object, now: str) -> list[dict[str, Any]]:
    """Return the conditions of a node whose kubelet is silent: nothing that it said is known to hold."""
    known = {entry["type"]: entry for entry in objects.conditions(node)}
    return [
        *(entry for kind, entry in known.items() if kind not in DOUBTED),
        *(_unknown(kind, known.get(kind, {}), now) for kind in DOUBTED),
    ]


def _unknown(kind: str, before: dict[str, Any], now: str) -> dict[str, Any]:
    since = before.get("lastTransitionTime", now) if before.get("status") == "Unknown" else now
    return {
        "type": kind,
        "status": "Unknown",
        "reason": "NodeStatusUnknown",
        "message": "Kubelet stopped posting node status.",
        "lastHeartbeatTime": before.get("lastHeartbeatTime", now),
        "lastTransitionTime": since,
    }


def taints(node: Object, now: str) -> list[dict[str, Any]]:
    """Return the taints a node should have: other people's, and those that follow from its state."""
    present = list(objects.spec(node).get("taints") or [])
    others = [taint for taint in present if taint["key"] not in OURS]
    return [*others, *(_kept(key, effect, present, now) for key, effect in _implied(node))]


def _implied(node: Object) -> list[tuple[str, str]]:
    state = readiness(node)
    found = [(UNSCHEDULABLE, "NoSchedule")] if objects.spec(node).get("unschedulable") else []
    key = {"Unknown": UNREACHABLE, "False": NOT_READY}.get(state)
    return [*found, *((key, effect) for effect in ("NoSchedule", "NoExecute") if key)]


def _kept(key: str, effect: str, present: list[dict[str, Any]], now: str) -> dict[str, Any]:
    same = [taint for taint in present if (taint["key"], taint.get("effect")) == (key, effect)]
    return same[0] if same else {"key": key, "effect": effect, "timeAdded": now}


def unready(pod: Object, now: str) -> list[dict[str, Any]] | None:
    """Return the conditions of a pod nobody hears of any more, which is not ready; None when it says so already."""
    if not objects.is_true(pod, "Ready"):
        return None
    others = [entry for entry in objects.conditions(pod) if entry["type"] != "Ready"]
    return [*others, {"type": "Ready", "status": "False", "lastProbeTime": None, "lastTransitionTime": now}]
