"""Whom a gateway talks to and with which keys, by generation: read off a Slice, its SliceGateways and a Secret.

Pure. The gateway hands each `Generation` to its engine, which answers with what it sees of every peer (`SeenPeer`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Any, NamedTuple

from kubeslice.plan.address.ipam import ClusterPlan
from kubeslice.plan.datapath.segment import Segment
from kubeslice.plan.keys import gateway_keys

Object = dict[str, Any]
Pair = tuple[IPv4Network, IPv4Network]


class TunnelId(NamedTuple):
    """One tunnel of a gateway: the generation of the keys, and the remote cluster."""

    generation: int
    remote: str


@dataclass(frozen=True)
class Peer:
    """The gateway of one remote cluster in our plane and one generation.

    `gateway` is the SliceGateway that asks for it. `allowed` is what may come from it and goes to it: the cluster's own
    subnet and those behind it, or only the block of its routers and gateways while another cluster relays for it.
    `host_type` is ours (OpenVPN: a Server is called, a Client calls); `protocol` and `cipher` are OpenVPN's too.
    """

    remote: str
    gateway: str
    subnet: IPv4Network
    allowed: tuple[IPv4Network, ...]
    public_key: str = ""
    endpoints: tuple[str, ...] = ()
    psk: str = field(default="", repr=False)
    host_type: str = "Server"
    protocol: str = "UDP"
    cipher: str = ""


@dataclass(frozen=True)
class Generation:
    """All that an engine needs to bring up the tunnels of one generation of keys.

    `address` is our own inside the slice and `mtu` that of the slice. `secret` is the plane's Secret, decoded: all
    generations, as the contract of gateways with the operator names them (`plan.keys.gateway_keys`).
    """

    number: int
    address: IPv4Address
    mtu: int
    peers: tuple[Peer, ...]
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class SeenPeer:
    """What an engine sees of a peer. `handshake` is a Unix time, 0 for never; `problem` is a sentence, "" for none."""

    endpoint: str = ""
    handshake: int = 0
    received: int = 0
    sent: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Side:
    """A SliceGateway as this cluster's gateways read it."""

    name: str
    remote: str
    subnet: IPv4Network
    behind: tuple[IPv4Network, ...]
    carried: tuple[IPv4Network, ...]
    spec: Object


def sides(gateways: Iterable[Object], segment: Segment) -> list[Side]:
    """Return the SliceGateways that lead to other clusters of the slice, by name of the cluster.

    One without a subnet is not ready, and one with a subnet that is malformed or not another cluster's is not obeyed.
    """
    found = []
    for obj in gateways:
        spec: Object = obj.get("spec") or {}
        try:
            (subnet,) = _foreign([spec.get("remoteSubnet") or ""], segment)
            behind = _foreign(spec.get("transitSubnets") or (), segment)
            carried = _foreign(spec.get("carriedSubnets") or (), segment)
        except ValueError:
            continue
        remote = str(spec.get("remoteCluster") or "")
        found.append(Side(obj["metadata"]["name"], remote, subnet, behind, carried, spec))
    return sorted(found, key=lambda side: side.remote)


def generations(
    segment: Segment, plane: int, spec: Object, known: Iterable[Side], secret: Mapping[str, str]
) -> list[Generation]:
    """Return the generations in force on a plane, oldest first; `spec` is that of the Slice."""
    known, address = tuple(known), segment.cluster.gateway(plane)
    return [
        Generation(number, address, segment.mtu, tuple(_peers(known, plane, number, secret)), secret)
        for number in gateway_keys.generations(spec, plane)
    ]


def pairs_carried(known: Iterable[Side]) -> frozenset[Pair]:
    """Return the pairs of subnets, source and destination, whose packets other clusters send through this one."""
    return frozenset((side.subnet, subnet) for side in known for subnet in side.carried)


def _peers(known: Iterable[Side], plane: int, generation: int, secret: Mapping[str, str]) -> Iterator[Peer]:
    met = [(side, entry) for side in known if (entry := _entry(side, plane, generation)) is not None]
    # While the topology changes there may be two ways to a subnet: that of its own cluster counts, then the first.
    taken = {side.subnet for side, _ in met if not side.spec.get("relay")}
    for side, entry in met:
        behind = tuple(subnet for subnet in side.behind if subnet not in taken)
        taken.update(behind)
        yield _peer(side, entry, behind, secret.get(gateway_keys.shared_key(side.remote, generation), ""))


def _entry(side: Side, plane: int, generation: int) -> Object | None:
    entries: list[Object] = side.spec.get("planes") or []
    return next((entry for entry in entries if _place(entry) == (plane, generation)), None)


def _peer(side: Side, entry: Object, behind: Iterable[IPv4Network], psk: str) -> Peer:
    # While another cluster relays, its gateways have the data; ours stay in touch to find out when that may end.
    own = ClusterPlan(side.subnet).infrastructure if side.spec.get("relay") else side.subnet
    return Peer(
        remote=side.remote,
        gateway=side.name,
        subnet=side.subnet,
        allowed=(own, *behind),
        public_key=str(entry.get("publicKey") or ""),
        endpoints=tuple(entry.get("endpoints") or ()),
        psk=psk,
        host_type=str(side.spec.get("hostType") or "Server"),
        protocol=str(side.spec.get("protocol") or "UDP"),
        cipher=str(side.spec.get("cipher") or ""),
    )


def _place(entry: Object) -> tuple[int, int]:
    return int(entry.get("plane") or 0), int(entry.get("generation") or gateway_keys.FIRST)


def _foreign(texts: Iterable[str], segment: Segment) -> tuple[IPv4Network, ...]:
    """Return subnets of other clusters of the slice. Raises `ValueError`."""
    found = tuple(sorted(IPv4Network(text) for text in texts))
    own = segment.cluster.subnet
    for subnet in found:
        if not subnet.subnet_of(segment.subnet) or subnet.prefixlen != own.prefixlen or subnet == own:
            raise ValueError(f"{subnet} is not the subnet of another cluster of {segment.subnet}")
    return found
