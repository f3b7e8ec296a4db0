"""The configuration of BIRD 2 for one router: a BGP session with BFD per plane and remote cluster. Pure.

Each router announces its own cluster's subnet and nothing else, and believes of a peer only that peer's subnet. The
far router's plane address is reached through the gateway of that plane, which makes the plane the session's fate.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from kubeslice.model.names import OVERLAY_INTERFACE
from kubeslice.plan import ipam
from kubeslice.plan.segment import Segment

Object = dict[str, Any]

# Two gateways forward every packet of a session, and each takes one from its time to live.
HOPS = 3
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
    interval 300 ms;
    idle tx interval 1 s;
    multiplier 3;
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
  hold time 15;
  keepalive time 5;
}}
"""
SESSION = """
# {subnet} through plane {plane}
protocol bgp {name} from peer {{
  local {local} as {own_as};
  neighbor {neighbour} as {peer_as};
  ipv4 {{
    import where net = {subnet};
    export where proto = "segment";
    next hop self;
    gateway recursive;
  }};
}}
"""


@dataclass(frozen=True)
class Session:
    """One BGP session: to the router of a remote cluster, through the gateways of one plane."""

    cluster: str
    subnet: IPv4Network
    octet: int
    plane: int

    @property
    def name(self) -> str:
        """Return what BIRD calls it."""
        return f"peer_{self.octet}_{self.plane}"

    @property
    def neighbour(self) -> IPv4Address:
        """Return the far router's address for this plane."""
        return ipam.ClusterPlan(self.subnet).router_plane(self.plane)


def sessions(segment: Segment, gateways: Iterable[Object]) -> list[Session]:
    """Return the sessions that a slice's SliceGateways ask for, by octet and plane."""
    found = set()
    for obj in gateways:
        spec: Object = obj.get("spec") or {}
        if spec.get("remoteSubnet"):
            subnet = IPv4Network(spec["remoteSubnet"])
            planes = {int(entry["plane"]) for entry in spec.get("planes") or []} & set(range(segment.planes))
            for plane in planes:
                cluster = str(spec.get("remoteCluster") or "")
                found.add(Session(cluster, subnet, octet(segment.subnet, subnet), plane))
    return sorted(found, key=lambda session: (session.octet, session.plane))


def configuration(segment: Segment, wanted: Iterable[Session], router: int = 0) -> str:
    """Return bird.conf of a router."""
    known = list(wanted)
    cluster = segment.cluster
    planes = "".join(f"  route {session.neighbour}/32 via {cluster.gateway(session.plane)};\n" for session in known)
    last_resort = "".join(_last_resort(cluster, subnet, known) for subnet in sorted({one.subnet for one in known}))
    head = HEADER.format(
        router_id=cluster.router(router),
        subnet=cluster.subnet,
        slice=segment.subnet,
        device=OVERLAY_INTERFACE,
        planes=planes,
        last_resort=last_resort,
        hops=HOPS,
    )
    return head + "".join(_session(segment, session) for session in known)


def octet(slice_subnet: IPv4Network, subnet: IPv4Network) -> int:
    """Return which part of the slice a cluster subnet is."""
    return (int(subnet.network_address) - int(slice_subnet.network_address)) // subnet.num_addresses


def _last_resort(cluster: ipam.ClusterPlan, subnet: IPv4Network, known: Iterable[Session]) -> str:
    hops = " ".join(f"via {cluster.gateway(session.plane)}" for session in known if session.subnet == subnet)
    return f"  route {subnet} {hops};\n"


def _session(segment: Segment, session: Session) -> str:
    own = octet(segment.subnet, segment.cluster.subnet)
    return SESSION.format(
        plane=session.plane,
        name=session.name,
        local=segment.cluster.router_plane(session.plane),
        own_as=ipam.autonomous_system(own),
        neighbour=session.neighbour,
        peer_as=ipam.autonomous_system(session.octet),
        subnet=session.subnet,
    )
