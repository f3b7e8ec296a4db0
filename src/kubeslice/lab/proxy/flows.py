"""UDP connections that the kernel still sends to backends which are no longer meant. Pure.

The kernel decides once for each connection where it goes, and a UDP "connection" lasts as long as packets flow: a
tunnel would stick to a dead pod for ever. Source: pkg/proxy/conntrack.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from kubeslice.lab.proxy.frontends import Frontend

Place = tuple[str, int]


@dataclass(frozen=True)
class Flow:
    """One UDP connection: what the client asked for, and who answers it."""

    source: Place
    asked: Place
    answered_by: Place


def stale(
    flows: Iterable[Flow], before: Sequence[Frontend], after: Sequence[Frontend], own: Collection[str] = ()
) -> list[Flow]:
    """Return the flows to a Service's address whose answering backend is not one of its backends now.

    `own` are the node's own addresses, on which node ports are. A flow that began before its Service had a backend
    counts too: the kernel would never translate it.
    """
    places = _places([*before, *after])
    ports = _ports([*before, *after])
    meant = _meant(after)
    found = []
    for flow in flows:
        address, port = flow.asked
        name = places.get(flow.asked) or (ports.get(port) if address in own else None)
        backends = meant.get(name, frozenset()) if name else frozenset()
        if name and flow.answered_by not in backends and (backends or flow.asked != flow.answered_by):
            found.append(flow)
    return found


def has_changed(before: Sequence[Frontend], after: Sequence[Frontend]) -> bool:
    """Tell whether any UDP backend came or left, which is the only reason to look at the flows."""
    return _meant(before) != _meant(after)


def _udp(offered: Sequence[Frontend]) -> list[Frontend]:
    return [each for each in offered if each.protocol == "udp"]


def _places(offered: Sequence[Frontend]) -> dict[Place, str]:
    return {(address, each.port): each.name for each in _udp(offered) for address in (each.cluster_ip, *each.outer_ips)}


def _ports(offered: Sequence[Frontend]) -> dict[int, str]:
    return {each.node_port: each.name for each in _udp(offered) if each.node_port}


def _meant(offered: Sequence[Frontend]) -> dict[str, frozenset[Place]]:
    return {each.name: frozenset((one.address, one.port) for one in each.cluster) for each in _udp(offered)}
