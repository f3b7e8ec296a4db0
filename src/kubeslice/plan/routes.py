"""What a gateway's namespace holds of ours: the tunnel device, its address, a route to each remote cluster. Pure."""

from collections.abc import Iterable
from ipaddress import IPv4Interface, IPv4Network

from kubeslice.model.names import WIREGUARD_INTERFACE
from kubeslice.plan.network import Address, Link, Network, Record, Route
from kubeslice.plan.segment import Segment


def gateway(segment: Segment, plane: int, kind: str, remotes: Iterable[IPv4Network]) -> Network:
    """Return the records of a gateway; `kind` is what the tunnel device is to the kernel: wireguard or tun.

    What belongs to the slice but to no remote cluster that we know is unreachable: it must not leave in the clear
    through the cluster's own network.
    """
    device = WIREGUARD_INTERFACE
    base: tuple[Record, ...] = (
        Link(device, kind, segment.mtu),
        Address(device, IPv4Interface((segment.cluster.gateway(plane), 32))),
        Route(segment.subnet),
    )
    return frozenset([*base, *(Route(subnet, device) for subnet in remotes if subnet.subnet_of(segment.subnet))])
