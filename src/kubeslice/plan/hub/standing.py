"""How a slice does as a whole, from what its workers report. Called by the hub's slice reconciler.

`Ready` says whether every two clusters that should reach each other do; `Degraded` what is missing beyond that.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubeslice.model import conditions
from kubeslice.plan import findings
from kubeslice.plan.findings import Finding
from kubeslice.plan.hub.slices import Seat
from kubeslice.plan.problems import Problem
from kubeslice.plan.tunnels import topology
from kubeslice.plan.tunnels.legs import Leg, Legs
from kubeslice.plan.tunnels.topology import Graph, Pair

Object = dict[str, Any]

ACCEPTED = "Accepted"
SHOWN = 3
# What a worker says until every other member is reached, new ones too; the tunnels themselves tell what failed.
TUNNEL_DOWN = "TunnelDown"
FIGURES = ("tunnelsUp", "appPods", "message")
UNKNOWN_LEG = Leg(("UNKNOWN",))


@dataclass(frozen=True)
class MemberState:
    """How the slice does in one cluster, from that worker's report; `has_fallen` when it is not ready any more."""

    seat: Seat
    is_ready: bool
    message: str
    app_pods: int = 0
    has_fallen: bool = False


@dataclass(frozen=True)
class Standing:
    """How a slice does as a whole.

    `relays` are the pairs that another cluster carries than the plan says, `swapped` those whose Server and Client
    changed places. The places of `evicted` clusters wait for them; they are no members. `told` is the reason of `Ready`
    as it is said now.
    """

    members: Sequence[MemberState]
    graph: Graph | None = None
    legs: Legs = field(default_factory=Legs)
    relays: Mapping[Pair, str] = field(default_factory=dict)
    swapped: Collection[Pair] = ()
    evicted: Sequence[Seat] = ()
    told: str = ""

    @property
    def tunnels_wanted(self) -> int:
        """Return the number of tunnel ends that should be up: one for each plane of each end of a connection."""
        return sum(map(len, self.legs.ends.values()))

    @property
    def tunnels_up(self) -> int:
        """Return how many are up."""
        return sum(states.count("UP") for states in self.legs.ends.values())

    def tunnels(self) -> dict[str, tuple[int, int]]:
        """Return how many tunnel ends of each cluster are up, and how many it should have."""
        counts: dict[str, tuple[int, int]] = {}
        for (local, _), states in self.legs.ends.items():
            up, wanted = counts.get(local, (0, 0))
            counts[local] = up + states.count("UP"), wanted + len(states)
        return counts

    @property
    def sentence(self) -> str:
        """Return the state for people."""
        ready = sum(member.is_ready for member in self.members)
        clusters = f"{ready} of {len(self.members)} clusters ready"
        if self.evicted:
            clusters += f", {', '.join(seat.cluster for seat in self.evicted)} evicted"
        return f"{clusters}, {self.tunnels_up} of {self.tunnels_wanted} tunnels up" if self.graph else clusters

    def leg(self, one: str, other: str) -> Leg:
        """Return the tunnels between two clusters."""
        return self.legs.by_pair.get(topology.pair(one, other), UNKNOWN_LEG)

    def apart(self) -> list[Pair]:
        """Return the pairs that should reach each other and are not known to."""
        if self.graph is None:
            return []
        carriers = topology.ways(self.graph, self.relays).carriers
        wanted = dict.fromkeys([*(topology.pair(*ends) for ends in self.graph.edges()), *carriers])
        return [ends for ends in wanted if not self._is_connected(ends, carriers.get(ends, ""))]

    def missing(self) -> list[str]:
        """Return the tunnels that are down, each as "A to B, plane 1"."""
        return [
            f"{one} to {other}, plane {plane}"
            for (one, other), leg in self.legs.by_pair.items()
            for plane, state in enumerate(leg.planes)
            if state == "DOWN"
        ]

    def _is_connected(self, ends: Pair, via: str) -> bool:
        if not via:
            return self.leg(*ends).state == "UP"
        return all(self.leg(via, end).state == "UP" for end in ends)


def member_state(
    seat: Seat,
    config: Mapping[str, Any] | None,
    silence: str,
    *,
    was_ready: bool = False,
    has_joined: bool = True,
) -> MemberState:
    """Judge one member by its WorkerSliceConfig; `silence` tells why its worker's word is old, "" when it is fresh."""
    status = (config or {}).get("status") or {}
    reported = conditions.find(status.get("conditions") or [], conditions.READY)
    app_pods = len(status.get("connectedAppPods") or [])
    if silence:
        return MemberState(seat, is_ready=False, message=silence, app_pods=app_pods, has_fallen=True)
    if reported is None:
        message = f"the worker of {seat.cluster} has not reported on the slice yet"
        if not has_joined:
            message = f"it has to join first, see Cluster {seat.cluster}"
        return MemberState(seat, is_ready=False, message=message, app_pods=app_pods)
    is_ready = reported.get("status") == "True"
    message = "" if is_ready else str(reported.get("message") or reported.get("reason") or "not ready")
    has_fallen = was_ready and not is_ready and reported.get("reason") != TUNNEL_DOWN
    return MemberState(seat, is_ready=is_ready, message=message, app_pods=app_pods, has_fallen=has_fallen)


def status_fields(standing: Standing) -> Object:
    """Return the status of a SliceConfig apart from its conditions."""
    tunnels = standing.tunnels()
    members = [_member_status(member, tunnels.get(member.seat.cluster, (0, 0))) for member in standing.members]
    members += [_evicted_status(seat) for seat in standing.evicted]
    if standing.graph is None:
        return {"members": members}
    told = f"{standing.tunnels_up}/{standing.tunnels_wanted}"
    return {"members": members, "tunnels": told, "topology": _topology(standing, standing.graph)}


def without_figures(status: Mapping[str, Any]) -> Object:
    """Return a SliceConfig's status without conditions and what changes with every tunnel and pod."""
    members = [
        {key: value for key, value in member.items() if key not in FIGURES} for member in status.get("members") or []
    ]
    topology_ = {key: value for key, value in (status.get("topology") or {}).items() if key != "edgesReady"}
    return {"members": members, "topology": topology_, "observedGeneration": status.get("observedGeneration")}


def judge(standing: Standing, problems: Sequence[Problem]) -> list[Finding]:
    """Return the findings about a slice: whether its spec is accepted and, of what runs, whether all of it does."""
    accepted = Finding(ACCEPTED, "True", "Valid", "the spec is in force")
    if problems:
        accepted = Finding(ACCEPTED, "False", problems[0].reason, "; ".join(map(str, problems)))
    degraded = [_degraded(standing)] if standing.graph and standing.members else []
    return [_ready(standing, problems), accepted, *degraded]


def _ready(standing: Standing, problems: Sequence[Problem]) -> Finding:
    if not standing.members:
        return _empty(problems)
    sentence = standing.sentence
    if problems:
        sentence += "; the last change is not in force, see Accepted"
    apart = standing.apart()
    is_cut = any(standing.leg(*ends).state == "DOWN" for ends in apart)
    late = [member for member in standing.members if not member.is_ready]
    if late:
        return _late(standing.told, late, sentence, is_cut=is_cut)
    if is_cut:
        return findings.not_ready("TunnelsDown", f"{sentence}; not connected: {_shown(apart, ' and '.join)}")
    if apart:
        return findings.not_ready("WaitingForTunnels", f"{sentence}; not connected yet: {_shown(apart, ' and '.join)}")
    return findings.ready("Connected", sentence)


def _empty(problems: Sequence[Problem]) -> Finding:
    if problems:
        return findings.not_ready(problems[0].reason, "; ".join(map(str, problems)))
    return findings.not_ready("NoClusters", "the slice has no clusters: name them in spec.clusters")


def _late(told: str, late: Sequence[MemberState], sentence: str, *, is_cut: bool) -> Finding:
    """Return whether members are waited for or were lost; what was `told` as a loss is one until all are ready."""
    if is_cut or told == "ClustersNotReady" or any(member.has_fallen for member in late):
        return findings.not_ready("ClustersNotReady", f"{sentence}; {_shown(late, _complaint)}")
    return findings.not_ready("WaitingForClusters", f"{sentence}; {_shown(late, _complaint)}")


def _degraded(standing: Standing) -> Finding:
    assert standing.graph is not None
    missing = standing.missing()
    relayed = [f"{one} and {other} through {via}" for (one, other), via in sorted(standing.relays.items()) if via]
    alone = standing.graph.cut_off()
    said = [f"tunnels down: {_shown(missing)}"] if missing else []
    said += [f"not reached directly: {_shown(relayed)}"] if relayed else []
    said += [f"connected to no other cluster by spec.topology: {_shown(alone)}"] if alone else []
    message = "; ".join(said)
    if missing:
        return Finding(conditions.DEGRADED, "True", "TunnelsDown", message)
    if relayed:
        return Finding(conditions.DEGRADED, "True", "Relayed", message)
    if alone:
        return Finding(conditions.DEGRADED, "True", "ClusterCutOff", message)
    if standing.tunnels_up < standing.tunnels_wanted:
        return Finding(conditions.DEGRADED, "Unknown", "WaitingForTunnels", "some tunnels have not been reported yet")
    return Finding(conditions.DEGRADED, "False", "NothingMissing", "every tunnel is up")


def _shown(found: Sequence[Any], text: Callable[[Any], str] = str) -> str:
    more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return "; ".join([*map(text, found[:SHOWN]), *more])


def _complaint(member: MemberState) -> str:
    return f"{member.seat.cluster}: {member.message}"


def _member_status(member: MemberState, tunnels: tuple[int, int]) -> Object:
    status: Object = {"cluster": member.seat.cluster, "octet": member.seat.octet, "ready": member.is_ready}
    status["appPods"] = member.app_pods
    if member.message:
        status["message"] = member.message
    if member.seat.subnet:
        up, wanted = tunnels
        status |= {**_subnets(member.seat), "tunnelsUp": up, "tunnels": wanted}
    return status


def _evicted_status(seat: Seat) -> Object:
    message = f"evicted: its place is kept for it, see Cluster {seat.cluster}"
    status: Object = {"cluster": seat.cluster, "octet": seat.octet, "ready": False, "message": message}
    return status | _subnets(seat)


def _subnets(seat: Seat) -> Object:
    fields = {"clusterSubnet": seat.subnet, "clusterSubnetV6": seat.subnet_v6}
    return {field: subnet for field, subnet in fields.items() if subnet}


def _topology(standing: Standing, graph: Graph) -> Object:
    edges = graph.edges()
    ready = [ends for ends in edges if standing.leg(*ends).state == "UP"]
    fields: Object = {"mode": graph.name, "edgesWanted": len(edges), "edgesReady": len(ready)}
    if standing.relays:
        fields["relays"] = [{"clusters": list(ends), "via": via} for ends, via in sorted(standing.relays.items())]
    if standing.swapped:
        fields["swapped"] = [{"clusters": list(ends)} for ends in sorted(standing.swapped)]
    return fields
