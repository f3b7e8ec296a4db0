"""What is broken in a lab's WAN, as values: cuts, limits, narrow paths, networks behind NAT. Pure.

An end is a cluster, a node, or `*`. Cut packets vanish as they do in a broken network: nothing is told to either side.
`wan` makes the kernel so; the control socket hands the requests here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kubeslice.lab.topology import LARGEST_MTU, SMALLEST_MTU, Cluster, Node, Topology

ANY = "*"


@dataclass(frozen=True, order=True)
class Cut:
    """Packets from one end to another that vanish; with `ports` only UDP and TCP packets from or to these."""

    source: str
    destination: str
    ports: tuple[int, ...] = ()


@dataclass(frozen=True, order=True)
class Narrow:
    """A path that takes packets of at most `mtu` bytes; larger ones are answered by ICMP, or not even that."""

    first: str
    second: str
    mtu: int
    tells: bool = True


@dataclass(frozen=True)
class Faults:
    """Everything that is broken; `limits` in Mbit/s by end, `hidden` are the clusters behind NAT."""

    cuts: frozenset[Cut] = frozenset()
    limits: Mapping[str, float] = field(default_factory=dict)
    narrow: frozenset[Narrow] = frozenset()
    hidden: frozenset[str] = frozenset()

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON value."""
        return {
            "cuts": [
                {"from": cut.source, "to": cut.destination, "ports": list(cut.ports)} for cut in sorted(self.cuts)
            ],
            "limits": dict(self.limits),
            "mtus": [
                {"between": [path.first, path.second], "mtu": path.mtu, "icmp": path.tells}
                for path in sorted(self.narrow)
            ],
            "nat": sorted(self.hidden),
        }


def change(faults: Faults, request: Mapping[str, Any], topology: Topology) -> Faults:
    """Return the faults after a request. Raises ValueError when it makes no sense.

    Requests are {action: cut, a, b, oneWay, ports}, {action: limit, a, mbit}, {action: narrow, a, b, mtu, icmp},
    {action: nat, a, on} and {action: heal, a, b}.
    """
    first, second = str(request.get("a") or ANY), str(request.get("b") or ANY)
    for name in (first, second):
        if name != ANY and end(topology, name) is None:
            raise ValueError(f"{name!r} is neither a cluster nor a node of this lab")
    match request["action"]:
        case "cut":
            return _cut(faults, first, second, request)
        case "limit":
            return replace(faults, limits=_limited(faults.limits, first, float(request.get("mbit") or 0)))
        case "narrow":
            return replace(faults, narrow=_narrowed(faults.narrow, first, second, request))
        case "nat":
            if first not in {cluster.name for cluster in topology.clusters}:
                raise ValueError("NAT is for a whole cluster: name one")
            others = faults.hidden - {first}
            return replace(faults, hidden=others | {first} if request.get("on", True) else others)
        case "heal":
            return _heal(faults, first, second)
    raise ValueError(f"no action {request['action']!r}")


def _cut(faults: Faults, first: str, second: str, request: Mapping[str, Any]) -> Faults:
    if first == second:
        raise ValueError("a cut has two different ends")
    ports = tuple(sorted({int(port) for port in request.get("ports") or ()}))
    if not all(0 < port < 65536 for port in ports):
        raise ValueError(f"ports are 1 to 65535, not {', '.join(map(str, ports))}")
    added = {Cut(first, second, ports)} | (set() if request.get("oneWay") else {Cut(second, first, ports)})
    return replace(faults, cuts=faults.cuts | added)


def _heal(faults: Faults, first: str, second: str) -> Faults:
    if first == second == ANY:
        return Faults()
    pair = {first, second}
    left = frozenset(cut for cut in faults.cuts if {cut.source, cut.destination} != pair)
    return replace(faults, cuts=left, narrow=_without(faults.narrow, first, second))


def _limited(limits: Mapping[str, float], name: str, mbit: float) -> dict[str, float]:
    others = {key: value for key, value in limits.items() if key != name}
    return others | ({name: mbit} if mbit > 0 else {})


def _narrowed(narrow: frozenset[Narrow], first: str, second: str, request: Mapping[str, Any]) -> frozenset[Narrow]:
    others, mtu = _without(narrow, first, second), int(request.get("mtu") or 0)
    if not mtu:
        return others
    if not SMALLEST_MTU <= mtu <= LARGEST_MTU:
        raise ValueError(f"an MTU is {SMALLEST_MTU} to {LARGEST_MTU}, not {mtu}")
    return others | {Narrow(first, second, mtu, bool(request.get("icmp", True)))}


def _without(narrow: Iterable[Narrow], first: str, second: str) -> frozenset[Narrow]:
    return frozenset(path for path in narrow if {path.first, path.second} != {first, second})


def end(topology: Topology, name: str) -> Cluster | Node | None:
    """Return the cluster or node of that name; None for `*` and for unknown names."""
    ends: dict[str, Cluster | Node] = {cluster.name: cluster for cluster in topology.clusters}
    ends |= {node.name: node for node in topology.nodes}
    return ends.get(name)
