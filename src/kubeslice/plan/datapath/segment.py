"""A slice's segment on one node: what its Slice object means here, and what its network namespace must hold.

Pure. The agent reads a `Segment` off the Slice, asks `network` for the records and applies the difference.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from kubeslice.model import names
from kubeslice.model.errors import Terminal
from kubeslice.plan.address import ipam
from kubeslice.plan.datapath.network import BROADCAST, BridgePort, ForwardingEntry, Link, Network, Record

Object = dict[str, Any]

_BRIDGE_MAC = "06:6b:00:00:00:00"
SYSCTLS = {
    # Frames must not take the way of the node's own packets, and the segment itself has no addresses.
    "bridge/bridge-nf-call-iptables": "0",
    "bridge/bridge-nf-call-ip6tables": "0",
    "bridge/bridge-nf-call-arptables": "0",
    "ipv6/conf/all/disable_ipv6": "1",
    "ipv6/conf/default/disable_ipv6": "1",
}


@dataclass(frozen=True)
class Segment:
    """What the Slice object says, as far as one node needs it. `blocks` are those of this node."""

    slice: str
    vni: int
    mtu: int
    subnet: IPv4Network
    cluster: ipam.ClusterPlan
    planes: int
    blocks: tuple[IPv4Network, ...]

    @property
    def namespace(self) -> str:
        """Return the name of the network namespace that holds the segment on every node."""
        return names.segment_namespace(self.vni)


def parse(obj: Object, node: str) -> Segment | None:
    """Read a Slice; None while the operator has not decided its addresses yet. Raises `Terminal` on nonsense."""
    spec: Object = obj.get("spec") or {}
    if not all(spec.get(field) for field in ("vni", "mtu", "sliceSubnet", "clusterSubnet")):
        return None
    blocks = next((entry.get("cidrs") or [] for entry in spec.get("nodeBlocks") or [] if entry["node"] == node), [])
    try:
        return Segment(
            slice=obj["metadata"]["name"],
            vni=int(spec["vni"]),
            mtu=int(spec["mtu"]),
            subnet=IPv4Network(spec["sliceSubnet"]),
            cluster=ipam.ClusterPlan(IPv4Network(spec["clusterSubnet"])),
            planes=int(spec.get("gatewayReplicas") or 1),
            blocks=tuple(IPv4Network(block) for block in blocks),
        )
    except ValueError as error:
        raise Terminal(f"slice {obj['metadata']['name']} has a malformed subnet: {error}") from error


def vxlan(segment: Segment, node: IPv4Address) -> Link:
    """Return the VXLAN device of a segment on the node with this address. It learns nothing (RFC 7348, static)."""
    details = (("id", str(segment.vni)), ("local", str(node)), ("dstport", str(names.VXLAN_PORT)), ("nolearning", ""))
    mac = _station_mac(node)
    return Link(names.VXLAN_INTERFACE, "vxlan", segment.mtu, mac, master=names.BRIDGE, details=details)


def network(
    segment: Segment,
    node: IPv4Address,
    peers: Iterable[IPv4Address],
    stations: Mapping[str, IPv4Address],
    ports: Iterable[Record],
) -> Network:
    """Return everything that the segment's namespace holds on one node.

    `peers` are the other nodes of the cluster, which get a copy of every broadcast; `stations` maps the MAC of each
    pod elsewhere to its node; `ports` are the records of the pods here.
    """
    device = vxlan(segment, node)
    base: tuple[Record, ...] = (
        Link(names.BRIDGE, "bridge", segment.mtu, _BRIDGE_MAC),
        device,
        BridgePort(device.name, learning=False, flood=True),
    )
    flood = [ForwardingEntry(device.name, BROADCAST, peer) for peer in peers]
    remote = [entry for mac, peer in stations.items() for entry in _remote(device.name, mac, peer)]
    return frozenset([*base, *flood, *remote, *ports])


def _remote(device: str, mac: str, peer: IPv4Address) -> tuple[Record, Record]:
    return ForwardingEntry(device, mac), ForwardingEntry(device, mac, peer)


def _station_mac(node: IPv4Address) -> str:
    """Return a MAC for a node's VXLAN device that no pod can have: another first octet than theirs."""
    return "06" + ipam.mac(node)[2:]
