"""Where a pod should run. Pure: nodes and pods in, a node's name or the sentence of `FailedScheduling` out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.lab.controllers import affinity, capacity, pods
from kubeslice.lab.controllers.affinity import Machine


@dataclass(frozen=True)
class Placement:
    """The chosen node, or "" and why there is none."""

    node: str
    sentence: str = ""


def place(pod: Object, machines: Sequence[Machine]) -> Placement:
    """Choose the node that suits `pod` best; equal ones take turns by the number of their pods."""
    complaints = {objects.name(machine.node): complaint(pod, machine, machines) for machine in machines}
    fitting = [machine for machine in machines if not complaints[objects.name(machine.node)]]
    if not fitting:
        return Placement("", _refusal(list(complaints.values())))
    best = min(fitting, key=lambda machine: rank(pod, machine, machines))
    return Placement(objects.name(best.node))


def complaint(pod: Object, machine: Machine, machines: Sequence[Machine]) -> str:
    """Say why `pod` cannot run on the machine, or ""."""
    if not affinity.selects_node(pod, machine.node):
        return "node(s) didn't match Pod's node affinity/selector"
    taint = affinity.refused_taint(pod, machine.node)
    if taint == affinity.UNSCHEDULABLE["key"]:
        return "node(s) were unschedulable"
    if taint:
        return f"node(s) had untolerated taint {{{taint}: }}"
    taken = {port for other in machine.pods for port in capacity.host_ports(other)}
    if taken & capacity.host_ports(pod):
        return "node(s) didn't have free ports for the requested pod ports"
    if not affinity.pods_agree(pod, machine, machines):
        return "node(s) didn't match pod affinity/anti-affinity rules"
    return capacity.lacking(pod, machine.node, machine.pods)


def rank(pod: Object, machine: Machine, machines: Sequence[Machine]) -> tuple[int, int, int, int, str]:
    """Order fitting machines, best first: wishes, soft taints, siblings, pods in all, name."""
    siblings = sum(_are_siblings(pod, other) for other in machine.pods)
    soft = affinity.refused_taint(pod, machine.node, ("PreferNoSchedule",))
    return (
        affinity.dislike(pod, machine, machines),
        int(bool(soft)),
        siblings,
        len(machine.pods),
        objects.name(machine.node),
    )


def is_waiting(pod: Object) -> bool:
    """Tell whether a pod still needs a node from this scheduler."""
    spec = objects.spec(pod)
    is_ours = (spec.get("schedulerName") or "default-scheduler") == "default-scheduler"
    return is_ours and not spec.get("nodeName") and not spec.get("schedulingGates") and pods.is_active(pod)


def _are_siblings(one: Object, other: Object) -> bool:
    mine, its = pods.owner(one), pods.owner(other)
    return mine is not None and its is not None and mine["uid"] == its["uid"]


def _refusal(complaints: list[str]) -> str:
    counted = ", ".join(f"{count} {reason}" for reason, count in sorted(Counter(complaints).items()))
    return f"0/{len(complaints)} nodes are available: {counted or 'no nodes available to schedule pods'}."
