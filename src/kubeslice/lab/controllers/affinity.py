"""Which nodes a pod wants or refuses: selectors, node affinity, taints, and pods it seeks or avoids. Pure.

Source: the NodeAffinity, TaintToleration and InterPodAffinity plugins of kube-scheduler.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.lab.controllers import selectors

NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


@dataclass(frozen=True)
class Machine:
    """A node and the pods that are bound to it."""

    node: Object
    pods: Sequence[Object] = ()


def selects_node(pod: Object, node: Object) -> bool:
    """Tell whether nodeSelector and required node affinity allow the node."""
    spec = objects.spec(pod)
    labels = objects.labels(node)
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    required = _affinity(pod, "nodeAffinity").get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or any(_term_holds(term, node) for term in required.get("nodeSelectorTerms") or [])


def taints(node: Object, effects: Sequence[str] = EFFECTS) -> list[dict[str, Any]]:
    """Return the taints of a node, those that follow from its being cordoned or not ready included."""
    found = list(objects.spec(node).get("taints") or [])
    if objects.spec(node).get("unschedulable"):
        found.append(UNSCHEDULABLE)
    if not objects.is_true(node, "Ready"):
        found.append(NOT_READY)
    return [taint for taint in found if taint.get("effect") in effects]


def tolerates(pod: Object, taint: dict[str, Any]) -> bool:
    """Tell whether one of the pod's tolerations covers the taint."""
    return any(covers(toleration, taint) for toleration in objects.spec(pod).get("tolerations") or [])


def refused_taint(pod: Object, node: Object, effects: Sequence[str] = ("NoSchedule", "NoExecute")) -> str:
    """Return the key of a taint that keeps the pod off the node, or ""."""
    return next((taint["key"] for taint in taints(node, effects) if not tolerates(pod, taint)), "")


def pods_agree(pod: Object, machine: Machine, machines: Iterable[Machine]) -> bool:
    """Tell whether the required (anti-)affinity between pods allows the machine, in both directions."""
    everywhere = list(machines)
    return (
        all(_has_company(term, pod, machine, everywhere) for term in _required(pod, "podAffinity"))
        and not any(_has_company(term, pod, machine, everywhere) for term in _required(pod, "podAntiAffinity"))
        and not _is_avoided(pod, machine, everywhere)
    )


def dislike(pod: Object, machine: Machine, machines: Iterable[Machine]) -> int:
    """Weigh the preferred (anti-)affinities: the higher, the less the pod wants the machine."""
    everywhere = list(machines)
    avoided = _preferred(pod, "podAntiAffinity")
    sought = _preferred(pod, "podAffinity")
    nodes = _affinity(pod, "nodeAffinity").get("preferredDuringSchedulingIgnoredDuringExecution") or []
    return (
        sum(weight for weight, term in avoided if _has_company(term, pod, machine, everywhere))
        - sum(weight for weight, term in sought if _has_company(term, pod, machine, everywhere))
        - sum(int(entry["weight"]) for entry in nodes if _term_holds(entry["preference"], machine.node))
    )


def _affinity(pod: Object, kind: str) -> dict[str, Any]:
    return (objects.spec(pod).get("affinity") or {}).get(kind) or {}


def _required(pod: Object, kind: str) -> list[dict[str, Any]]:
    return _affinity(pod, kind).get("requiredDuringSchedulingIgnoredDuringExecution") or []


def _preferred(pod: Object, kind: str) -> list[tuple[int, dict[str, Any]]]:
    entries = _affinity(pod, kind).get("preferredDuringSchedulingIgnoredDuringExecution") or []
    return [(int(entry["weight"]), entry["podAffinityTerm"]) for entry in entries]


def _term_holds(term: dict[str, Any], node: Object) -> bool:
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    named = {"metadata.name": objects.name(node)}
    return all(selectors.fulfils(entry, objects.labels(node)) for entry in expressions) and all(
        selectors.fulfils(entry, named) for entry in fields
    )


def covers(toleration: dict[str, Any], taint: dict[str, Any]) -> bool:
    """Tell whether a toleration is about the taint."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if not toleration.get("key"):
        return toleration.get("operator") == "Exists"
    if toleration["key"] != taint["key"]:
        return False
    return toleration.get("operator") == "Exists" or (toleration.get("value") or "") == (taint.get("value") or "")


def _has_company(term: dict[str, Any], pod: Object, machine: Machine, machines: Iterable[Machine]) -> bool:
    return any(_is_meant(term, pod, other) for near in _neighbourhood(term, machine, machines) for other in near.pods)


def _is_avoided(pod: Object, machine: Machine, machines: Iterable[Machine]) -> bool:
    everywhere = list(machines)
    return any(
        _is_meant(term, other, pod) and any(near is home for near in _neighbourhood(term, machine, everywhere))
        for home in everywhere
        for other in home.pods
        for term in _required(other, "podAntiAffinity")
    )


def _neighbourhood(term: dict[str, Any], machine: Machine, machines: Iterable[Machine]) -> list[Machine]:
    key = term["topologyKey"]
    place = objects.labels(machine.node).get(key)
    return [near for near in machines if place is not None and objects.labels(near.node).get(key) == place]


def _is_meant(term: dict[str, Any], pod: Object, other: Object) -> bool:
    namespaces = term.get("namespaces") or [objects.namespace(pod)]
    return objects.namespace(other) in namespaces and selectors.matches(
        term.get("labelSelector"), objects.labels(other)
    )
