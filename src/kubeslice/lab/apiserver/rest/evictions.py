"""Whether a PodDisruptionBudget lets a pod go, and how it counts one that does. Pure.

Source: pkg/registry/core/pod/storage/eviction.go.
"""

from kubeslice.lab.apiserver.interfaces import Object

SENTENCE = "Cannot evict pod as it would violate the pod's disruption budget."
_PROCESSING_SECONDS = 10


def is_free(budget: Object, pod: Object) -> bool:
    """Tell whether the pod may go without being counted: it is not healthy, and nobody waits for it to be."""
    conditions = pod.get("status", {}).get("conditions") or []
    if any(one["type"] == "Ready" and one["status"] == "True" for one in conditions):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status", {})
    return bool(status.get("currentHealthy", 0) >= status.get("desiredHealthy", 0) > 0)


def refusal(budget: Object) -> str:
    """Say why the budget lets no healthy pod go now, or "". An undefined state lets none go."""
    name, status = budget["metadata"]["name"], budget.get("status", {})
    if _is_behind(budget):
        return f"The disruption budget {name} is still being processed by the server."
    if status.get("disruptionsAllowed", 0) > 0:
        return ""
    desired, healthy = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
    return f"The disruption budget {name} needs {desired} healthy pods and has {healthy} currently"


def patience(budget: Object) -> int:
    """Return the seconds after which asking again makes sense; 0 when that is unknown."""
    return _PROCESSING_SECONDS if _is_behind(budget) else 0


def count(budget: Object, pod: str, now: str) -> None:
    """Note that the pod may go, in place."""
    status = budget["status"]
    status["disruptionsAllowed"] -= 1
    status.setdefault("disruptedPods", {})[pod] = now


def _is_behind(budget: Object) -> bool:
    seen = budget.get("status", {}).get("observedGeneration", 0)
    return bool(seen < budget["metadata"].get("generation", 0))
