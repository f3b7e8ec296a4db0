"""The simulated WAN with its faults: how nftables, tc and policy routing say them. All but `apply` is pure.

A cut drops routed packets by address, and packets inside a LAN by the port they use. NAT gives a cluster one public
address, opens a mapping with a random port for what it sends, and lets in only what answers that. A narrow path is a
route with a locked MTU, chosen by source and destination.
"""

import contextlib
import json
from collections.abc import Collection, Iterable
from ipaddress import ip_network

from kubeslice.lab import execution
from kubeslice.lab import namespaces as ns
from kubeslice.lab.faults import ANY, Cut, Faults, end
from kubeslice.lab.layout import WAN, network
from kubeslice.lab.topology import Cluster, Node, Topology

NARROW_PRIORITY, NARROW_TABLE = 1000, 100_000
MOST_NARROW = 1000
TOO_LARGE = "icmp type destination-unreachable icmp code frag-needed"


def rules(faults: Faults, topology: Topology) -> str:
    """Return the WAN's whole nftables."""
    cuts = sorted(faults.cuts)
    routed = [rule for cut in cuts for rule in _routed(cut, topology)]
    bridged = [rule for cut in cuts for rule in _bridged(cut, topology)]
    return (
        _table("ip", "lab-faults", [_chain("forward", routed), _chain("output", _silences(faults, topology))])
        + _table("bridge", "lab-faults", [_chain("forward", bridged)])
        + _table("ip", "lab-nat", _translations(faults, topology))
    )


def _table(family: str, name: str, chains: Iterable[str]) -> str:
    return f"table {family} {name}\ndelete table {family} {name}\ntable {family} {name} {{\n{''.join(chains)}}}\n"


def _chain(hook: str, lines: Iterable[str], kind: str = "filter", priority: str = "filter") -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return f"  chain {hook} {{\n    type {kind} hook {hook} priority {priority}; policy accept;\n{body}  }}\n"


def _routed(cut: Cut, topology: Topology) -> list[str]:
    source, destination = (_address(name, topology) for name in (cut.source, cut.destination))
    matches = [f"ip {side} {value}" for side, value in (("saddr", source), ("daddr", destination)) if value]
    return [" ".join([*matches, *ports, "counter drop"]) for ports in _ports(cut)]


def _ports(cut: Cut) -> list[list[str]]:
    if not cut.ports:
        return [[]]
    wanted = f"{{ {', '.join(map(str, cut.ports))} }}"
    return [["meta l4proto { tcp, udp }", f"th {side} {wanted}"] for side in ("sport", "dport")]


def _address(name: str, topology: Topology) -> str:
    found = end(topology, name)
    if found is None:
        return ""
    return found.network if isinstance(found, Cluster) else found.address


def _bridged(cut: Cut, topology: Topology) -> list[str]:
    ends = [end(topology, name) for name in (cut.source, cut.destination)]
    links = [found.link if isinstance(found, Node) else "" for found in ends]
    if any(isinstance(found, Cluster) for found in ends) or not any(links):
        return []
    matches = [f'{side} "{link}"' for side, link in zip(("iifname", "oifname"), links, strict=True) if link]
    return [" ".join([*matches, *ports, "counter drop"]) for ports in _ports(cut)]


def _silences(faults: Faults, topology: Topology) -> list[str]:
    """Return the rules that keep a quiet path's "too large" from its ends; `*` is everybody."""
    quiet = {name for path in faults.narrow if not path.tells for name in (path.first, path.second)}
    if ANY in quiet:
        return [f"{TOO_LARGE} counter drop"]
    return [f"ip daddr {_address(name, topology)} {TOO_LARGE} counter drop" for name in sorted(quiet)]


def _translations(faults: Faults, topology: Topology) -> list[str]:
    hidden = [cluster for cluster in topology.clusters if cluster.name in faults.hidden]
    if not hidden:
        return []  # without NAT the WAN tracks no connections
    closed = [f"ip saddr != {one.network} ip daddr {one.network} ct state new,invalid counter drop" for one in hidden]
    hiding = [
        f"ip saddr {one.network} ip daddr != {one.network} counter snat to {one.public} fully-random" for one in hidden
    ]
    return [_chain("forward", closed), _chain("postrouting", hiding, "nat", "srcnat")]


def narrow_paths(faults: Faults, topology: Topology) -> list[str]:
    """Return the batch for `ip`: a table of routes per MTU, and who uses it; the smallest MTU comes first."""
    lines = [
        f"route replace {cluster.network} dev {cluster.bridge} mtu lock {mtu} table {NARROW_TABLE + mtu}"
        for mtu in sorted({path.mtu for path in faults.narrow})
        for cluster in topology.clusters
    ]
    wanted = [
        (path.mtu, source, destination)
        for path in faults.narrow
        for source, destination in {(path.first, path.second), (path.second, path.first)}
    ]
    for position, (mtu, source, destination) in enumerate(sorted(wanted)):
        ends = [f"{word} {_address(name, topology) or 'all'}" for word, name in (("from", source), ("to", destination))]
        lines.append(f"rule add {' '.join(ends)} lookup {NARROW_TABLE + mtu} pref {NARROW_PRIORITY + position}")
    return lines


def shapes(faults: Faults, topology: Topology) -> dict[str, float]:
    """Return the limit in Mbit/s for each WAN port that has one; a node's own limit wins over its cluster's."""
    wanted = {}
    for node in topology.nodes:
        limit = faults.limits.get(node.name, faults.limits.get(node.cluster, faults.limits.get(ANY)))
        if limit:
            wanted[node.link] = limit
    return wanted


def apply(faults: Faults, topology: Topology, absent: Collection[str] = ()) -> None:
    """Make the WAN so; both ends of a limited link are shaped, each for what it sends. Nodes that are off are left."""
    limited = shapes(faults, topology)
    present = [node for node in topology.nodes if node.name not in absent]
    with ns.entered(network(WAN)):
        execution.nft(rules(faults, topology))
        _route(narrow_paths(faults, topology))
        for node in present:
            _shape(node.link, limited.get(node.link))
    for node in present:
        with ns.entered(network(node.name)):
            _shape("eth0", limited.get(node.link))


def forget(clusters: Iterable[Cluster]) -> None:
    """Drop the mappings of these networks: what follows gets new ones, as when the router that hides them restarts."""
    with ns.entered(network(WAN)):
        for cluster in clusters:
            base = ip_network(cluster.network)
            # conntrack ends with 1 when there was nothing to delete.
            with contextlib.suppress(execution.CommandFailed):
                execution.run(["conntrack", "-D", "-s", str(base.network_address), "--mask-src", str(base.netmask)])


def _route(lines: list[str]) -> None:
    present = json.loads(execution.run(["ip", "-j", "rule"]) or "[]")
    mine = range(NARROW_PRIORITY, NARROW_PRIORITY + MOST_NARROW)
    old = [f"rule del pref {rule['priority']}" for rule in present if rule["priority"] in mine]
    if old or lines:
        execution.ip_batch([*old, *lines])


def _shape(device: str, mbit: float | None) -> None:
    if mbit:
        execution.run(["tc", "qdisc", "replace", "dev", device, "root", *_bucket(mbit)])
    elif "tbf" in execution.run(["tc", "qdisc", "show", "dev", device]):
        execution.run(["tc", "qdisc", "del", "dev", device, "root"])


def _bucket(mbit: float) -> list[str]:
    burst = max(16_000, int(mbit * 1e6 / 8 / 100))
    return ["tbf", "rate", f"{int(mbit * 1000)}kbit", "burst", str(burst), "latency", "50ms"]
