"""Which running traffic a difference interrupts: what `kubeslice plan` warns of. Pure."""

from collections.abc import Mapping

from kubeslice.plan.footprint import (
    GATEWAYS,
    MEMBER,
    NAME,
    NAMESPACE,
    REGISTRATION,
    ROUTE,
    SHUT_OUT,
    TUNNELS,
    Difference,
    Footprint,
    Spot,
)

Pods = Mapping[tuple[str, str], int]
OTHERS = {
    (NAMESPACE, "remove"): "its pods here leave the slice",
    (ROUTE, "change"): "flows move to the other way",
    (NAME, "remove"): "nobody here finds it any more",
}


def interruption(found: Difference, after: Footprint, pods: Pods) -> str:
    """Return what ends or pauses with a difference, "" when nothing does.

    `after` is all there is then; `pods` counts the pods on a slice now, by (slice, cluster).
    """
    spot = found.spot
    if spot.what == MEMBER and found.action == "remove":
        count = pods.get((spot.slice, spot.cluster), 0)
        return f"everything on the slice here, for {count} of its pods" if count else ""
    if spot.what == REGISTRATION:
        return "every slice here, at once" if found.after == SHUT_OUT else ""
    if Spot(spot.cluster, spot.slice, MEMBER) not in after or not _has_traffic(spot, pods):
        return ""  # the member's own line says it
    if spot.what == TUNNELS and found.action == "remove":
        return _tunnels(spot, after, pods)
    if spot.what == GATEWAYS and found.action == "change":
        return _gateways(found)
    return OTHERS.get((spot.what, found.action), "")


def _has_traffic(spot: Spot, pods: Pods) -> bool:
    return any(count for (slice_name, _), count in pods.items() if slice_name == spot.slice)


def _tunnels(spot: Spot, after: Footprint, pods: Pods) -> str:
    remote = after.get(Spot(spot.name, spot.slice, MEMBER), "")
    if not remote:
        return f"flows with {spot.name}" if pods.get((spot.slice, spot.name)) else ""
    detour = after.get(Spot(spot.cluster, spot.slice, ROUTE, remote.partition(" ")[0].rstrip(",")))
    return f"flows with {spot.name} move to the way {detour}" if detour else f"flows with {spot.name}"


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
