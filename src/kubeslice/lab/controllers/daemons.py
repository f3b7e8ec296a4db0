"""Which nodes run a DaemonSet's pod, which pods to create and delete now, and what the status says. Pure.

Source: pkg/controller/daemon.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.lab.controllers import affinity, pods, rollout, templates
from kubeslice.lab.controllers.replicas import min_ready
from kubeslice.lab.controllers.statuses import compact

TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/not-ready", "NoSchedule"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)


@dataclass(frozen=True)
class Change:
    """Nodes that need a pod and pods that have to go."""

    create: tuple[str, ...] = ()
    delete: tuple[Object, ...] = ()


def change(daemon: Object, nodes: Sequence[Object], owned: Sequence[Object], now: datetime) -> Change:
    """Compare nodes and pods: one live pod on each eligible node, outdated ones replaced within the limits."""
    if objects.is_deleting(daemon):
        return Change()
    eligible = {objects.name(node) for node in nodes if runs_on(daemon, node)}
    stays = {objects.name(node) for node in nodes if runs_on(daemon, node, ("NoExecute",))}
    live = _by_node(owned)
    missing = [node for node in sorted(eligible) if not live.get(node)]
    gone = [pod for node, found in live.items() if node and node not in stays for pod in found]
    extra = [pod for node, found in live.items() if node in stays for pod in found[1:]]
    ended = [pod for pod in owned if pods.has_ended(pod) and not objects.is_deleting(pod)]
    outdated = _outdated(daemon, {node: live.get(node, []) for node in eligible}, now)
    return Change(tuple(missing), (*gone, *extra, *ended, *outdated))


def runs_on(daemon: Object, node: Object, effects: Sequence[str] = ("NoSchedule", "NoExecute")) -> bool:
    """Tell whether the node should have a pod: selectors and tolerations, cordoned or not."""
    pod = _template_pod(daemon)
    return affinity.selects_node(pod, node) and not affinity.refused_taint(pod, node, effects)


def pod(daemon: Object, node: str, name: str) -> Object:
    """Return the pod for one node: the scheduler may bind it nowhere else."""
    made = templates.pod(daemon, name, {templates.REVISION_LABEL: revision(daemon)})
    spec = made["spec"]
    spec["affinity"] = _pinned(spec.get("affinity") or {}, node)
    spec["tolerations"] = _tolerations(spec)
    return made


def target(made: Object) -> str:
    """Return the node that a daemon pod is bound to or waits for."""
    if pods.node(made):
        return pods.node(made)
    node = (objects.spec(made).get("affinity") or {}).get("nodeAffinity") or {}
    terms = (node.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or []
    fields = [field for term in terms for field in term.get("matchFields") or []]
    return next((field["values"][0] for field in fields if field["key"] == "metadata.name"), "")


def revision(daemon: Object) -> str:
    """Return the hash of the current template."""
    return templates.fingerprint(objects.spec(daemon)["template"])


def status(daemon: Object, nodes: Sequence[Object], owned: Sequence[Object], now: datetime) -> dict[str, Any]:
    """Return the status that nodes and pods add up to."""
    eligible = {objects.name(node) for node in nodes if runs_on(daemon, node)}
    live = _by_node(owned)
    placed = [found[0] for node, found in live.items() if node in eligible]
    available = sum(pods.is_available(pod, min_ready(daemon), now) for pod in placed)
    counts = {
        "updatedNumberScheduled": sum(_is_current(daemon, pod) for pod in placed),
        "numberAvailable": available,
        "numberUnavailable": len(eligible) - available,
        "observedGeneration": daemon["metadata"].get("generation"),
        "conditions": objects.conditions(daemon),
    }
    return {
        "currentNumberScheduled": len(placed),
        "desiredNumberScheduled": len(eligible),
        "numberMisscheduled": sum(node not in eligible for node in live if node),
        "numberReady": sum(pods.is_ready(pod) for pod in placed),
        **compact(counts),
    }


def _outdated(daemon: Object, live: dict[str, list[Object]], now: datetime) -> list[Object]:
    strategy = objects.spec(daemon).get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return []
    wanted = (strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1)
    limit = max(1, rollout.resolve(wanted, len(live), up=True))
    old = [found[0] for found in live.values() if found and not _is_current(daemon, found[0])]
    broken = [each for each in old if not pods.is_available(each, min_ready(daemon), now)]
    healthy = [each for each in old if pods.is_available(each, min_ready(daemon), now)]
    down = sum(not found or not pods.is_available(found[0], min_ready(daemon), now) for found in live.values())
    return [*broken, *healthy[: max(0, limit - down)]]


def _is_current(daemon: Object, made: Object) -> bool:
    return objects.labels(made).get(templates.REVISION_LABEL) == revision(daemon)


def _by_node(owned: Sequence[Object]) -> dict[str, list[Object]]:
    """Group live pods by node, the oldest first. A pod that is being deleted still holds its place."""
    found: dict[str, list[Object]] = {}
    for each in sorted(owned, key=lambda pod: (pod["metadata"].get("creationTimestamp") or "", objects.name(pod))):
        if not pods.has_ended(each):
            found.setdefault(target(each), []).append(each)
    return found


def _template_pod(daemon: Object) -> Object:
    spec = dict(objects.spec(daemon)["template"]["spec"])
    spec["tolerations"] = _tolerations(spec)
    return {"metadata": {"name": "", "namespace": objects.namespace(daemon)}, "spec": spec}


def _tolerations(spec: Object) -> list[dict[str, Any]]:
    added = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in TOLERATED]
    if spec.get("hostNetwork"):
        network = "node.kubernetes.io/network-unavailable"
        added.append({"key": network, "operator": "Exists", "effect": "NoSchedule"})
    return [*(spec.get("tolerations") or []), *added]


def _pinned(wanted: dict[str, Any], node: str) -> dict[str, Any]:
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    term = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    kept = dict(wanted.get("nodeAffinity") or {})
    return {**wanted, "nodeAffinity": {**kept, "requiredDuringSchedulingIgnoredDuringExecution": term}}
