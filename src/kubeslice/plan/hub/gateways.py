"""What every member of a slice has to know to build tunnels to one other member. Called by `hub.gateways`.

A cluster's news (a new public key, another port) concerns exactly the views that the others have of it, so views are
planned by the cluster they lead to: the work for a change is as large as what it changes.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Network
from typing import Any, Self

from kubeslice.model import names
from kubeslice.model.resources import WORKERSLICEGATEWAYS
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.plan import endpoints
from kubeslice.plan.address import ipam
from kubeslice.plan.hub import slices
from kubeslice.plan.hub.slices import Seat
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.plan.tunnels import topology
from kubeslice.plan.tunnels.pairs import Side, sides_to
from kubeslice.plan.tunnels.topology import Graph, Pair, Ways

Object = dict[str, Any]

MOST_REMEMBERED = 4096


@dataclass(frozen=True)
class Published:
    """What a cluster says about its own gateways: the planes of its WorkerSliceConfig and its node addresses."""

    planes: Sequence[Mapping[str, Any]] = ()
    node_ips: Sequence[str] = ()


@dataclass(frozen=True)
class Detours:
    """What was found out about pairs: those that a third cluster relays, and those whose Server cannot be called."""

    relays: Mapping[Pair, str] = field(default_factory=dict)
    swapped: Collection[Pair] = ()


def detours(status: Mapping[str, Any]) -> Detours:
    """Return the detours that a SliceConfig's status says are in force."""
    said = status.get("topology") or {}
    relays = {topology.pair(*entry["clusters"]): str(entry.get("via") or "") for entry in said.get("relays") or []}
    return Detours(relays, frozenset(topology.pair(*entry["clusters"]) for entry in said.get("swapped") or []))


@dataclass(frozen=True)
class Terrain:
    """A slice as its views show it: who has which place, who is connected to whom, and what passes through whom."""

    project: str
    config: SliceConfig
    roster: Mapping[str, Seat]
    graph: Graph
    ways: Ways
    swapped: Collection[Pair] = ()

    @classmethod
    def of(cls, project: str, config: SliceConfig, roster: Mapping[str, Seat], found: Detours) -> Self:
        """Return the terrain of a slice with these members and detours."""
        graph = topology.graph(config.spec, {cluster: seat.octet for cluster, seat in roster.items()})
        return cls(project, config, roster, graph, topology.ways(graph, found.relays), found.swapped)

    def is_like(self, other: Self) -> bool:
        """Tell whether the same views follow from two terrains of a slice whose specs and members are alike."""
        return (self.graph, self.ways, self.swapped) == (other.graph, other.ways, other.swapped)

    def sides_to(self, remote: str) -> Iterator[Side]:
        """Return the sides that lead to `remote`; none when it is no member."""
        target = self.roster.get(remote)
        if target is not None and target.subnet:
            octets = {cluster: seat.octet for cluster, seat in self.roster.items()}
            yield from sides_to(remote, self.config.metadata.name, self.graph, octets, self.swapped)

    def basis(self, side: Side) -> tuple[Any, ...]:
        """Return what the view of a side is made of, apart from the spec and what its remote cluster publishes."""
        passing = _passing(side, self.ways, self.roster) if self.ways.carriers else {}
        relay = self.ways.relay(side.local, side.remote)
        return side, self.roster[side.local], self.roster[side.remote], passing, relay

    def view(self, side: Side, published: Published, holders: Sequence[str] = ()) -> Object:
        """Return the WorkerSliceGateway of a side; `published` is what its remote cluster says.

        What a member publishes itself it knows: its own side holds only its place. `holders` are its finalizers.
        """
        remote_end = _end(self.roster[side.remote]) | _reachable_at(published) | {"gatewayName": side.remote_name}
        view = _view(
            self.project,
            self.config,
            side,
            _end(self.roster[side.local]) | {"gatewayName": side.name},
            remote_end | _passing(side, self.ways, self.roster),
            self.ways.relay(side.local, side.remote),
        )
        return _held(view, holders)


def views(
    project: str,
    config: SliceConfig,
    roster: Mapping[str, Seat],
    remote: str,
    published: Published,
    detoured: Detours | None = None,
) -> list[Object]:
    """Return the WorkerSliceGateways of all other members that lead to `remote`; none when it is no member."""
    terrain = Terrain.of(project, config, roster, detoured or Detours())
    return [terrain.view(side, published) for side in terrain.sides_to(remote)]


def told(views_seen: Iterable[Object], addresses: Sequence[str]) -> Published:
    """Return what the views that lead to a cluster say about it, with the `addresses` of its nodes known now."""
    ends = [(view.get("spec") or {}).get("remoteGatewayConfig") or {} for view in views_seen]
    planes: Sequence[Object] = next((end["planes"] for end in ends if end.get("planes")), [])
    return Published(planes, addresses or next((end["nodeIps"] for end in ends if end.get("nodeIps")), []))


def renewed(view: Object, published: Published) -> Object:
    """Return a view as it is, apart from what its remote cluster says now."""
    spec = view["spec"]
    remote = {**spec["remoteGatewayConfig"], **_reachable_at(published)}
    kept = {key: view["metadata"][key] for key in ("name", "namespace", "labels")}
    renewed = {
        "apiVersion": WORKERSLICEGATEWAYS.api_version,
        "kind": WORKERSLICEGATEWAYS.kind,
        "metadata": kept,
        "spec": {**spec, "remoteGatewayConfig": remote},
    }
    return _held(renewed, holders(view, is_held=True))


def holders(view: Object | None, *, is_held: bool) -> list[str]:
    """Return the finalizers of a view as the hub writes it: as they are, at first that of its cluster's worker.

    A worker that holds the slice itself (`is_held`) will hold its gateways too, and is spared the first write. For one
    that never took the slice up nothing is held: it might never let go.
    """
    if view is not None:
        return list(view["metadata"].get("finalizers") or [])
    return [names.WORKER_SLICE_GATEWAY_FINALIZER] if is_held else []


def _held(view: Object, finalizers: Sequence[str]) -> Object:
    return {**view, "metadata": {**view["metadata"], "finalizers": list(finalizers)}} if finalizers else view


def _reachable_at(published: Published) -> Object:
    planes = _planes(published.planes)
    return {"nodeIps": list(published.node_ips), "nodePorts": _ports(planes), "planes": planes}


def _passing(side: Side, ways: Ways, roster: Mapping[str, Seat]) -> Object:
    """Return the subnets beyond the remote cluster, and those that it reaches through the local one."""
    transit = [roster[cluster].subnet for cluster in ways.through(side.local, side.remote)]
    carried = [roster[cluster].subnet for cluster in ways.through(side.remote, side.local)]
    return ({"transitSubnets": transit} if transit else {}) | ({"carriedSubnets": carried} if carried else {})


def _view(project: str, config: SliceConfig, side: Side, local_end: Object, remote_end: Object, relay: str) -> Object:
    # As in the Go implementation, the Server's side decides how the pair is exposed: it is the one that is called.
    exposure = slices.service_type(config, side.local if side.host_type == "Server" else side.remote)
    member = Member(project, side.local)
    labels = slices.slice_labels(member, side.slice_name) | {names.REMOTE_CLUSTER_LABEL: side.remote}
    return {
        "apiVersion": WORKERSLICEGATEWAYS.api_version,
        "kind": WORKERSLICEGATEWAYS.kind,
        "metadata": {"name": side.name, "namespace": member.namespace, "labels": labels},
        "spec": {
            "sliceName": side.slice_name,
            "gatewayType": config.spec.slice_gateway_provider.slice_gateway_type,
            "gatewayHostType": side.host_type,
            "gatewayConnectivityType": exposure.type,
            "gatewayProtocol": exposure.protocol,
            "gatewayCredentials": {"secretName": side.name},
            "gatewayNumber": side.number,
            "localGatewayConfig": local_end,
            "remoteGatewayConfig": remote_end,
        }
        | ({"relay": relay} if relay else {})
        | slices.cipher(config),
    }


def _end(seat: Seat) -> Object:
    vpn_ip = _vpn_ip(seat.subnet)
    return {"clusterName": seat.cluster, "gatewaySubnet": seat.subnet, "vpnIp": vpn_ip}


@lru_cache(maxsize=MOST_REMEMBERED)
def _vpn_ip(subnet: str) -> str:
    # Remembered: asked for every member whenever one of them changes.
    return str(ipam.ClusterPlan(IPv4Network(subnet)).gateway(0))


def _planes(reported: Iterable[Mapping[str, Any]]) -> list[Object]:
    planes = [
        {
            "plane": int(plane.get("plane") or 0),
            "generation": int(plane.get("generation") or 1),
            "publicKey": str(plane.get("publicKey") or ""),
            "endpoints": list(plane.get("endpoints") or []),
        }
        for plane in reported
    ]
    return sorted(planes, key=lambda plane: (plane["plane"], plane["generation"]))


def _ports(planes: Iterable[Mapping[str, Any]]) -> list[int]:
    first = [str(endpoint) for plane in planes for endpoint in (plane.get("endpoints") or [])[:1]]
    return [endpoint.port for endpoint in endpoints.well_formed(first)]
