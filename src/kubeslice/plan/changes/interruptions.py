"""Which running traffic a difference interrupts: what `kubeslice plan` warns of. Pure."""

from collections.abc import Mapping

from kubeslice.plan.changes.footprint import (
    GATEWAYS,
    ISOLATION,
    MEMBER,
    NAME,
    NAMESPACE,
    POLICY,
    REGISTRATION,
    ROUTE,
    SHUT_OUT,
    TUNNELS,
    Difference,
    Footprint,
    Spot,
)

Pods = Mapping[tuple[str, str], int]
Homes = Mapping[tuple[str, str], str]
ISOLATED = "what its namespaces exchange with others through the cluster's own network"
OTHERS = {
    (NAMESPACE, "remove"): "its pods here leave the slice",
    (ROUTE, "change"): "flows move to the other way",
    (NAME, "remove"): "nobody here finds it any more",
}


def homes(after: Footprint) -> Homes:
    """Return the cluster that each part of a subnet belongs to, by (slice, part)."""
    return {(spot.slice, _part(words)): spot.cluster for spot, words in after.items() if spot.what == MEMBER}


def interruption(found: Difference, after: Footprint, pods: Pods, known: Homes) -> str:
    """Return what ends or pauses with a difference, "" when nothing does.

    `after` is all there is then, and `known` are its homes; `pods` counts the pods on a slice now, by (slice, cluster).
    """
    spot = found.spot
    if spot.what == MEMBER and found.action == "remove":
        count = pods.get((spot.slice, spot.cluster), 0)
        return f"everything on the slice here, for {count} of its pods" if count else ""
    if spot.what == REGISTRATION:
        return "every slice here, at once" if found.after == SHUT_OUT else ""
    isolates = (spot.what, spot.name, found.action) == (POLICY, ISOLATION, "create")
    is_member = Spot(spot.cluster, spot.slice, MEMBER) in after
    if not isolates and not (is_member and _has_traffic(spot, pods)):
        return ""  # the member's own line says it
    if found.action == "remove" and spot.what in (TUNNELS, ROUTE):
        return _tunnels(spot, after, pods) if spot.what == TUNNELS else _route(spot, after, known)
    if spot.what == GATEWAYS and found.action == "change":
        return _gateways(found)
    return ISOLATED if isolates else OTHERS.get((spot.what, found.action), "")


def _has_traffic(spot: Spot, pods: Pods) -> bool:
    return any(count for (slice_name, _), count in pods.items() if slice_name == spot.slice)


def _tunnels(spot: Spot, after: Footprint, pods: Pods) -> str:
    remote = after.get(Spot(spot.name, spot.slice, MEMBER), "")
    if not remote:
        return f"flows with {spot.name}" if pods.get((spot.slice, spot.name)) else ""
    detour = after.get(Spot(spot.cluster, spot.slice, ROUTE, _part(remote)))
    return f"flows with {spot.name} move to the way {detour}" if detour else f"flows with {spot.name}"


def _route(spot: Spot, after: Footprint, known: Homes) -> str:
    """Return what it means that another cluster does not lead to a subnet any more: it ends before tunnels are up."""
    remote = known.get((spot.slice, spot.name), "")
    is_direct = Spot(spot.cluster, spot.slice, TUNNELS, remote) in after
    return f"flows with {remote or spot.name}" + (", until its own tunnels are up" if is_direct else "")


def _part(words: str) -> str:
    """Return the part of the subnet in what is said of a member."""
    return words.partition(" ")[0].rstrip(",")


def _gateways(found: Difference) -> str:
    """Return what it means that gateways are exposed anew: planes follow one another, but a single one has no spare.

    Planes that come carry nothing before they can, and those that go hand their flows over first.
    """
    (_, was), (planes, now) = (_planes_and_exposure(words) for words in (found.before, found.after))
    is_alone = was != now and planes == 1
    return "flows with other clusters until the load balancer answers: there is one plane only" if is_alone else ""


def _planes_and_exposure(words: str) -> tuple[int, str]:
    planes, _, rest = words.partition(" x ")
    return int(planes), rest.partition(", ")[2]
