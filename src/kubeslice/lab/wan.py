"""Faults of the simulated WAN: cuts and bandwidth limits as values, and how nftables and tc say them.

A cut is an ordered pair of ends; an end is a cluster, a node, or `*`. Cut packets vanish as they do in a broken
network: nothing is told to either side. Everything but `apply` is pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kubeslice.lab import execution
from kubeslice.lab import namespaces as ns
from kubeslice.lab.layout import WAN, network
from kubeslice.lab.topology import Cluster, Node, Topology

ANY = "*"
Cut = tuple[str, str]


@dataclass(frozen=True)
class Faults:
    """What is broken: `cuts` from an end to another, `limits` in Mbit/s by end."""

    cuts: frozenset[Cut] = frozenset()
    limits: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON value."""
        return {"cuts": sorted(list(cut) for cut in self.cuts), "limits": dict(self.limits)}


def change(faults: Faults, request: Mapping[str, Any], topology: Topology) -> Faults:
    """Return the faults after a request {action: cut|heal|limit, a, b, oneWay, mbit}. Raises ValueError."""
    first, second = str(request.get("a") or ANY), str(request.get("b") or ANY)
    for end in (first, second):
        if end != ANY and _end(topology, end) is None:
            raise ValueError(f"{end!r} is neither a cluster nor a node of this lab")
    pairs = {(first, second)} if request.get("oneWay") else {(first, second), (second, first)}
    if request["action"] == "cut":
        if first == second:
            raise ValueError("a cut has two different ends")
        return replace(faults, cuts=faults.cuts | pairs)
    if request["action"] == "limit":
        return replace(faults, limits=_limited(faults.limits, first, float(request.get("mbit") or 0)))
    if first == second == ANY:
        return Faults()
    return replace(faults, cuts=faults.cuts - pairs)


def _limited(limits: Mapping[str, float], end: str, mbit: float) -> dict[str, float]:
    others = {key: value for key, value in limits.items() if key != end}
    return others | ({end: mbit} if mbit > 0 else {})


def _end(topology: Topology, name: str) -> Cluster | Node | None:
    ends: dict[str, Cluster | Node] = {cluster.name: cluster for cluster in topology.clusters}
    ends |= {node.name: node for node in topology.nodes}
    return ends.get(name)


def rules(faults: Faults, topology: Topology) -> str:
    """Return the WAN's whole nftables: routed packets by address, packets inside a LAN by the port they use."""
    routed = [rule for cut in sorted(faults.cuts) for rule in _routed(cut, topology)]
    bridged = [rule for cut in sorted(faults.cuts) for rule in _bridged(cut, topology)]
    return _table("ip", routed) + _table("bridge", bridged)


def _table(family: str, lines: Iterable[str]) -> str:
    body = "\n".join(f"        {line}" for line in lines)
    return f"""
table {family} lab-faults
delete table {family} lab-faults
table {family} lab-faults {{
    chain forward {{
        type filter hook forward priority filter; policy accept;
{body}
    }}
}}
"""


def _routed(cut: Cut, topology: Topology) -> list[str]:
    source, destination = (_address(end, topology) for end in cut)
    matches = [f"ip {side} {value}" for side, value in (("saddr", source), ("daddr", destination)) if value]
    return [f"{' '.join(matches)} counter drop"]


def _address(name: str, topology: Topology) -> str:
    end = _end(topology, name)
    if end is None:
        return ""
    return end.network if isinstance(end, Cluster) else end.address


def _bridged(cut: Cut, topology: Topology) -> list[str]:
    ends = [_end(topology, name) for name in cut]
    ports = [end.link if isinstance(end, Node) else "" for end in ends]
    if any(isinstance(end, Cluster) for end in ends) or not any(ports):
        return []
    matches = [f'{side} "{port}"' for side, port in zip(("iifname", "oifname"), ports, strict=True) if port]
    return [f"{' '.join(matches)} counter drop"]


def shapes(faults: Faults, topology: Topology) -> dict[str, float]:
    """Return the limit in Mbit/s for each WAN port that has one; a node's own limit wins over its cluster's."""
    wanted = {}
    for node in topology.nodes:
        limit = faults.limits.get(node.name, faults.limits.get(node.cluster, faults.limits.get(ANY)))
        if limit:
            wanted[node.link] = limit
    return wanted


def apply(faults: Faults, topology: Topology) -> None:
    """Make the WAN so; both ends of a limited link are shaped, each for what it sends."""
    limited = shapes(faults, topology)
    with ns.entered(network(WAN)):
        execution.nft(rules(faults, topology))
        for node in topology.nodes:
            _shape(node.link, limited.get(node.link))
    for node in topology.nodes:
        with ns.entered(network(node.name)):
            _shape("eth0", limited.get(node.link))


def _shape(device: str, mbit: float | None) -> None:
    if mbit:
        execution.run(["tc", "qdisc", "replace", "dev", device, "root", *_bucket(mbit)])
    elif "tbf" in execution.run(["tc", "qdisc", "show", "dev", device]):
        execution.run(["tc", "qdisc", "del", "dev", device, "root"])


def _bucket(mbit: float) -> list[str]:
    burst = max(16_000, int(mbit * 1e6 / 8 / 100))
    return ["tbf", "rate", f"{int(mbit * 1000)}kbit", "burst", str(burst), "latency", "50ms"]
