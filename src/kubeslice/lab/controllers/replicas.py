"""How many pods a ReplicaSet lacks, which ones it can spare, and what its status says. Pure.

Source: pkg/controller/replicaset.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.lab.controllers import pods, selectors
from kubeslice.lab.controllers.statuses import compact

BURST = 500


@dataclass(frozen=True)
class Change:
    """How many pods to create, and which to delete."""

    create: int = 0
    delete: tuple[Object, ...] = ()


def change(replicaset: Object, owned: Sequence[Object]) -> Change:
    """Compare the wanted number of pods with the active ones; the least useful pods go first."""
    if objects.is_deleting(replicaset):
        return Change()
    active = [pod for pod in owned if pods.is_active(pod)]
    surplus = len(active) - wanted(replicaset)
    if surplus <= 0:
        return Change(create=min(-surplus, BURST))
    crowd = Counter(pods.node(pod) for pod in active)
    ranked = sorted(active, key=lambda pod: pods.deletion_rank(pod, crowd[pods.node(pod)]))
    return Change(delete=tuple(ranked[:surplus]))


def wanted(workload: Object) -> int:
    """Return spec.replicas, 1 when it is absent."""
    replicas = objects.spec(workload).get("replicas")
    return 1 if replicas is None else int(replicas)


def status(replicaset: Object, owned: Sequence[Object], now: datetime) -> dict[str, Any]:
    """Return the status that the pods add up to."""
    active = [pod for pod in owned if pods.is_active(pod)]
    template = objects.spec(replicaset)["template"].get("metadata") or {}
    labels = {"matchLabels": template.get("labels") or {}}
    counted = {
        "fullyLabeledReplicas": sum(selectors.matches(labels, objects.labels(pod)) for pod in active),
        "readyReplicas": sum(pods.is_ready(pod) for pod in active),
        "availableReplicas": sum(pods.is_available(pod, min_ready(replicaset), now) for pod in active),
        "observedGeneration": replicaset["metadata"].get("generation"),
        "conditions": objects.conditions(replicaset),
    }
    return {"replicas": len(active), **compact(counted)}


def next_look(workload: Object, owned: Sequence[Object], now: datetime) -> float | None:
    """Return the seconds until a pod becomes available by the passing of time alone."""
    return pods.soonest(pods.seconds_until_available(pod, min_ready(workload), now) for pod in owned)


def min_ready(workload: Object) -> int:
    """Return spec.minReadySeconds."""
    return int(objects.spec(workload).get("minReadySeconds") or 0)
