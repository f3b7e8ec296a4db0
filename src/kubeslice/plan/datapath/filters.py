"""The nftables tables of the data path: who may send what on a segment, and what a gateway or router lets through.

Decides only; `linux.nftables` applies. Called by the agent (segment, underlay), the gateway and the router.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from kubeslice.model.names import OVERLAY_INTERFACE, VXLAN_INTERFACE, VXLAN_PORT
from kubeslice.plan.datapath.firewall import Chain, Element, Expression, Group, Json, Table
from kubeslice.plan.datapath.segment import Segment

BGP_PORT = 179
BFD_MULTIHOP_PORT = 4784  # RFC 5883
VRRP = "vrrp"  # protocol 112, RFC 5798
ACCEPT: Json = {"accept": None}
DROP: Json = {"drop": None}
COUNT: Json = {"counter": {"packets": 0, "bytes": 0}}

Pair = tuple[IPv4Network, IPv4Network]


@dataclass(frozen=True, slots=True)
class Sender:
    """A port of a segment and what may come from it: any IPv4 source when it routes for others."""

    port: str
    mac: str
    address: IPv4Address
    is_router: bool


def segment(senders: Iterable[Sender]) -> Table:
    """Return the anti-spoofing table of a segment's bridge.

    A port sends with its own MAC only; applications with their own IPv4 address only, in IP and in ARP; nothing but
    IPv4 and ARP. What comes from other nodes was checked there. A port that nobody listed can send nothing.
    """
    known = tuple(senders)
    rules: tuple[Expression, ...] = (
        (_is(_meta("iifname"), VXLAN_INTERFACE), ACCEPT),
        (_is(_both(_meta("iifname"), _field("ether", "saddr")), "@stations", "!="), COUNT, DROP),
        (_is(_field("ether", "type"), {"set": ["ip", "arp"]}), _is(_meta("iifname"), "@routers"), ACCEPT),
        (_is(_field("ether", "type"), "ip"), _is(_both(_meta("iifname"), _field("ip", "saddr")), "@owners"), ACCEPT),
        (
            _is(_field("ether", "type"), "arp"),
            _is(_both(_meta("iifname"), _field("arp", "saddr ether")), "@stations"),
            _is(_both(_meta("iifname"), _field("arp", "saddr ip")), "@owners"),
            ACCEPT,
        ),
        (COUNT, DROP),
    )
    groups = tuple(
        Group(name, types, frozenset(element for sender in known for element in _elements(sender)[name]))
        for name, types in (
            ("stations", ("ifname", "ether_addr")),
            ("owners", ("ifname", "ipv4_addr")),
            ("routers", ("ifname",)),
        )
    )
    return Table("bridge", groups, (Chain("frames", "prerouting", -300, "drop", rules),))


def underlay(nodes: Iterable[IPv4Address]) -> Table:
    """Return the node's own table: only nodes of the cluster may send to the VXLAN port.

    VXLAN has no authentication; without this a pod on the cluster network could inject frames into any segment.
    """
    peers = Group("nodes", ("ipv4_addr",), frozenset((str(node),) for node in nodes))
    rules: tuple[Expression, ...] = (
        (_is(_field("udp", "dport"), VXLAN_PORT), _is(_field("ip", "saddr"), "@nodes", "!="), COUNT, DROP),
        (_is(_meta("nfproto"), "ipv6"), _is(_field("udp", "dport"), VXLAN_PORT), COUNT, DROP),
    )
    return Table("inet", (peers,), (Chain("underlay", "input", -10, "accept", rules),))


def gateway(segment: Segment, tunnels: Iterable[str], carried: Iterable[Pair], *, is_leaving: bool = False) -> Table:
    """Return the table of a gateway pod: it joins segment and tunnels, never the cluster's network.

    `carried` are the pairs of subnets, source and destination, whose packets go from one tunnel to another through the
    routers of this cluster. A gateway that is leaving silences the routing sessions that pass through it, so that
    routers go round it while it still forwards all they send.
    """
    groups = (
        Group("tunnels", ("ifname",), frozenset((device,) for device in tunnels)),
        Group("carried", ("ipv4_addr", "ipv4_addr"), frozenset(_starts(pair) for pair in carried)),
    )
    to_tunnel = (_is(_meta("iifname"), OVERLAY_INTERFACE), _is(_meta("oifname"), "@tunnels"))
    from_tunnel = (_is(_meta("iifname"), "@tunnels"), _is(_meta("oifname"), OVERLAY_INTERFACE))
    # All cluster subnets of a slice are of one size, so a pair is known by where its subnets start.
    ends = _both(*(_masked(_field("ip", end), segment.cluster.subnet.netmask) for end in ("saddr", "daddr")))
    forward = (
        *(_SILENCE if is_leaving else ()),
        _clamp(_is(_meta("oifname"), "@tunnels")),
        (*to_tunnel, *_within("saddr", segment.subnet), *_within("daddr", segment.subnet), ACCEPT),
        (*from_tunnel, *_within("saddr", segment.subnet), *_within("daddr", segment.cluster.subnet), ACCEPT),
        (*from_tunnel, _is(ends, "@carried"), ACCEPT),
        (COUNT, DROP),
    )
    sides = (_FROM_SLICE, (_is(_meta("iifname"), "@tunnels"),))
    return Table("inet", groups, (Chain("forward", "forward", 0, "drop", forward), _no_services(sides)))


def router(slice_subnet: IPv4Network, neighbours: Iterable[IPv4Address], partner: IPv4Address) -> Table:
    """Return the table of a router pod: it forwards inside the slice; only other routers may talk BGP or VRRP to it."""
    peers = Group("neighbours", ("ipv4_addr",), frozenset((str(address),) for address in (*neighbours, partner)))
    known = _is(_field("ip", "saddr"), "@neighbours")
    ours = _is(_meta("iifname"), OVERLAY_INTERFACE)
    # Either end may open the BGP session, so answers from port 179 are as welcome as calls to it.
    speak: tuple[Expression, ...] = (
        (ours, known, _is(_field("tcp", "dport"), BGP_PORT), ACCEPT),
        (ours, known, _is(_field("tcp", "sport"), BGP_PORT), ACCEPT),
        (ours, known, _is(_field("udp", "dport"), BFD_MULTIHOP_PORT), ACCEPT),
        (ours, _is(_field("ip", "saddr"), str(partner)), _is(_meta("l4proto"), VRRP), ACCEPT),
    )
    forward = (_pass(slice_subnet, OVERLAY_INTERFACE, OVERLAY_INTERFACE), (COUNT, DROP))
    services = _no_services((_FROM_SLICE,), speak)
    return Table("inet", (peers,), (Chain("forward", "forward", 0, "drop", forward), services))


def _no_services(sides: Iterable[Expression], exceptions: tuple[Expression, ...] = ()) -> Chain:
    """Return the input chain: from the slice only ICMP (and the exceptions) reaches the pod's own processes."""
    closed = [rule for side in sides for rule in ((*side, _is(_meta("l4proto"), "icmp"), ACCEPT), (*side, COUNT, DROP))]
    return Chain("input", "input", 0, "accept", (*exceptions, *closed))


def _elements(sender: Sender) -> dict[str, list[Element]]:
    return {
        "stations": [(sender.port, sender.mac)],
        "owners": [] if sender.is_router else [(sender.port, str(sender.address))],
        "routers": [(sender.port,)] if sender.is_router else [],
    }


def _pass(subnet: IPv4Network, source: str, target: str) -> Expression:
    sides = (_is(_meta("iifname"), source), _is(_meta("oifname"), target))
    return (*sides, *_within("saddr", subnet), *_within("daddr", subnet), ACCEPT)


def _within(end: str, subnet: IPv4Network) -> Expression:
    return (_is(_field("ip", end), {"prefix": {"addr": str(subnet.network_address), "len": subnet.prefixlen}}),)


def _starts(pair: Pair) -> Element:
    return tuple(str(subnet.network_address) for subnet in pair)


def _masked(field: Json, mask: IPv4Address) -> Json:
    return {"&": [field, str(mask)]}


def _clamp(outgoing: Json) -> Expression:
    """Return the rule that lowers the MSS of connections that go out there to what their route carries."""
    size = {"tcp option": {"name": "maxseg", "field": "size"}}
    syn = {"match": {"op": "in", "left": _field("tcp", "flags"), "right": "syn"}}
    return (outgoing, syn, {"mangle": {"key": size, "value": {"rt": {"key": "mtu"}}}})


def _is(left: Json, right: Any, operator: str = "==") -> Json:
    return {"match": {"op": operator, "left": left, "right": right}}


def _meta(key: str) -> Json:
    return {"meta": {"key": key}}


def _field(protocol: str, field: str) -> Json:
    return {"payload": {"protocol": protocol, "field": field}}


def _both(*parts: Json) -> Json:
    return {"concat": list(parts)}


_FROM_SLICE: Expression = (_is(_meta("iifname"), OVERLAY_INTERFACE),)
_SILENCE: tuple[Expression, ...] = (
    (_is(_field("udp", "dport"), BFD_MULTIHOP_PORT), DROP),
    (_is(_field("tcp", "dport"), BGP_PORT), DROP),
    (_is(_field("tcp", "sport"), BGP_PORT), DROP),
)
