"""What a gateway's namespace holds of ours beside its tunnel devices: addresses, routes and rules. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import IPv4Interface, IPv4Network

from kubeslice.model.names import OVERLAY_INTERFACE, TRANSIT_TABLE
from kubeslice.plan.datapath.network import Address, Link, Network, Record, Route, Rule
from kubeslice.plan.datapath.segment import Segment


@dataclass(frozen=True)
class Way:
    """A subnet that is reached through a tunnel device; `mtu` 0 is that of the device."""

    subnet: IPv4Network
    device: str
    mtu: int = 0


def gateway(segment: Segment, plane: int, tunnels: Iterable[Link], ways: Iterable[Way], *, is_carrier: bool) -> Network:
    """Return the records of a gateway whose engine has made the devices `tunnels`.

    What belongs to the slice but to no remote cluster that we know is unreachable: it must not leave in the clear
    through the cluster's own network. A carrier lets clusters reach each other through its own: what arrives from a
    tunnel goes to a router, which knows the way on, and not straight back into a tunnel.
    """
    records: list[Record] = [Route(segment.subnet)]
    own = IPv4Interface((segment.cluster.gateway(plane), 32))
    for link in tunnels:
        # Its own MTU is that of the slice; less is the business of routes.
        records += [replace(link, mtu=segment.mtu, is_up=True), Address(link.name, own)]
        records += [Rule(link.name, TRANSIT_TABLE)] if is_carrier else []
    if is_carrier:
        next_hop = segment.cluster.router_next_hop(plane % 2)
        records.append(Route(segment.cluster.subnet, OVERLAY_INTERFACE, table=TRANSIT_TABLE))
        records.append(Route(segment.subnet, OVERLAY_INTERFACE, next_hop, table=TRANSIT_TABLE))
    records += [Route(way.subnet, way.device, mtu=way.mtu) for way in ways]
    return frozenset(records)
