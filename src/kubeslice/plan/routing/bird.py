"""The configuration of BIRD 2 for one router: a BGP session with BFD per plane and remote cluster. Pure.

Router 0 speaks with the router 0 of each remote cluster and router 1 with router 1. The far router's plane address is
reached through the gateway of that plane, which makes the plane the session's fate. Each announces its own cluster's
subnet and what the peer reaches through us, and believes of a peer only that peer's subnet and what we reach through
it. The two routers of a cluster tell each other what they learned, for the day when one of them learns nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from kubeslice.model.names import OVERLAY_INTERFACE
from kubeslice.plan.address import ipam
from kubeslice.plan.datapath.segment import Segment
from kubeslice.plan.routing import vrrp
from kubeslice.plan.tunnels import peers
from kubeslice.plan.tunnels.peers import Side

Object = dict[str, Any]

# Two gateways forward every packet of a session, and each takes one from its time to live.
HOPS = 3
# A path is given up after 0.45 s, before TCP tries a second time: two late packets in a row are no reason yet.
BFD_INTERVAL, BFD_MISSES = 150, 3  # milliseconds; packets
# BFD watches a session from a moment after it came up; in that moment only BGP itself does: hence the short hold time.
PARTNER = "partner"
HEADER = """\
log stderr all;
router id {router_id};
timeformat protocol iso long;

protocol device {{
  scan time 10;
}}

protocol bfd {{
  accept multihop;
  multihop {{
    interval {bfd_interval} ms;
    idle tx interval {bfd_interval} ms;
    multiplier {bfd_misses};
  }};
}}

protocol kernel {{
  persist;
  merge paths on;
  scan time 20;
  ipv4 {{
    import none;
    export where proto != "segment";
  }};
}}

protocol static segment {{
  ipv4;
  route {subnet} via "{device}";
}}

protocol static rest {{
  ipv4;
  route {slice} unreachable;
}}

protocol static planes {{
  ipv4;
{planes}}}

# Until a session has come up, and when none is left: believe the gateways. Anything BGP learns is preferred.
protocol static last_resort {{
  ipv4 {{ preference 50; }};
{last_resort}}}

template bgp peer {{
  multihop {hops};
  bfd on;
  graceful restart off;
  connect delay time 1;
  connect retry time 1;
  error wait time 1, 4;
  hold time 6;
  keepalive time 2;
}}
"""
SESSION = """
# {subnet} through plane {plane}
protocol bgp {name} from peer {{
  local {local} as {own_as};
  neighbor {neighbour} as {peer_as};
  ipv4 {{
    import {imports};
    export {exports};
    next hop self;
    gateway recursive;
  }};
}}
"""
PARTNERSHIP = """
# The other router of this cluster: less preferred than a session of our own.
protocol bgp {name} from peer {{
  local {local} as {own_as};
  neighbor {neighbour} as {own_as};
  ipv4 {{
    preference 90;
    import where net ~ [{slice}+] && net != {subnet};
    export where source = RTS_BGP;
    next hop self;
    gateway recursive;
  }};
}}
"""


@dataclass(frozen=True)
class Session:
    """One BGP session: to the router of a remote cluster, through the gateways of one plane.

    `reached` are the subnets that we reach through the remote cluster, its own among them unless the pair has a relay;
    `carried` are those that it reaches through us, again with our own.
    """

    cluster: str
    subnet: IPv4Network
    octet: int
    plane: int
    router: int
    reached: tuple[IPv4Network, ...]
    carried: tuple[IPv4Network, ...]

    @property
    def name(self) -> str:
        """Return what BIRD calls it."""
        return f"peer_{self.octet}_{self.plane}"

    @property
    def neighbour(self) -> IPv4Address:
        """Return the far router's address for this plane."""
        return ipam.ClusterPlan(self.subnet).router_plane(self.router, self.plane)


def sessions(segment: Segment, gateways: Iterable[Object], router: int) -> list[Session]:
    """Return the sessions that a slice's SliceGateways ask of a router, by octet and plane.

    Of two clusters that claim one subnet the first has it, as with the gateways.
    """
    found: dict[str, Session] = {}
    for side in peers.sides(gateways, segment):
        for session in _sessions(segment, side, router):
            found.setdefault(session.name, session)
    return sorted(found.values(), key=lambda session: (session.octet, session.plane))


def configuration(segment: Segment, wanted: Iterable[Session], router: int) -> str:
    """Return bird.conf of a router."""
    known = list(wanted)
    cluster = segment.cluster
    planes = "".join(f"  route {session.neighbour}/32 via {cluster.gateway(session.plane)};\n" for session in known)
    subnets = sorted({subnet for session in known for subnet in session.reached})
    head = HEADER.format(
        router_id=cluster.router(router),
        subnet=cluster.subnet,
        slice=segment.subnet,
        device=OVERLAY_INTERFACE,
        planes=planes,
        last_resort="".join(_last_resort(cluster, subnet, known) for subnet in subnets),
        hops=HOPS,
        bfd_interval=BFD_INTERVAL,
        bfd_misses=BFD_MISSES,
    )
    return head + _partnership(segment, router) + "".join(_session(segment, session) for session in known)


def octet(slice_subnet: IPv4Network, subnet: IPv4Network) -> int:
    """Return which part of the slice a cluster subnet is."""
    return (int(subnet.network_address) - int(slice_subnet.network_address)) // subnet.num_addresses


def _sessions(segment: Segment, side: Side, router: int) -> Iterator[Session]:
    is_direct = not side.spec.get("relay")
    for plane in {int(entry["plane"]) for entry in side.spec.get("planes") or []} & set(range(segment.planes)):
        yield Session(
            cluster=side.remote,
            subnet=side.subnet,
            octet=octet(segment.subnet, side.subnet),
            plane=plane,
            router=router,
            reached=_subnets([side.subnet] if is_direct else [], side.behind),
            carried=_subnets([segment.cluster.subnet] if is_direct else [], side.carried),
        )


def _subnets(own: Iterable[IPv4Network], others: Iterable[IPv4Network]) -> tuple[IPv4Network, ...]:
    return tuple(sorted({*own, *others}))


def _last_resort(cluster: ipam.ClusterPlan, subnet: IPv4Network, known: Iterable[Session]) -> str:
    planes = sorted({session.plane for session in known if subnet in session.reached})
    return f"  route {subnet} {' '.join(f'via {cluster.gateway(plane)}' for plane in planes)};\n"


def _partnership(segment: Segment, router: int) -> str:
    cluster = segment.cluster
    return PARTNERSHIP.format(
        name=PARTNER,
        local=cluster.router(router),
        neighbour=cluster.router(vrrp.partner(router)),
        own_as=_own_as(segment),
        slice=segment.subnet,
        subnet=cluster.subnet,
    )


def _session(segment: Segment, session: Session) -> str:
    own, carried = segment.cluster.subnet, [subnet for subnet in session.carried if subnet != segment.cluster.subnet]
    ours = ['proto = "segment"'] if own in session.carried else []
    learned = [f"source = RTS_BGP && net ~ {_set(carried)}"] if carried else []
    return SESSION.format(
        plane=session.plane,
        name=session.name,
        local=segment.cluster.router_plane(session.router, session.plane),
        own_as=_own_as(segment),
        neighbour=session.neighbour,
        peer_as=ipam.autonomous_system(session.octet),
        subnet=session.subnet,
        imports=f"where net ~ {_set(session.reached)}" if session.reached else "none",
        exports=f"where {' || '.join([*ours, *learned])}" if ours or learned else "none",
    )


def _set(subnets: Iterable[IPv4Network]) -> str:
    return f"[{', '.join(map(str, subnets))}]"


def _own_as(segment: Segment) -> int:
    return ipam.autonomous_system(octet(segment.subnet, segment.cluster.subnet))
