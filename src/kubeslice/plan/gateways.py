"""What every member of a slice has to know to build tunnels to one other member. Called by `hub.gateways`.

A cluster's news (a new public key, another port) concerns exactly the views that the others have of it, so views are
planned by the cluster they lead to: the work for a change is as large as what it changes.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Network
from typing import Any

from kubeslice.model import names
from kubeslice.model.resources import WORKERSLICEGATEWAYS
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.plan import endpoints, ipam, slices, topology
from kubeslice.plan.pairs import Side, sides_to
from kubeslice.plan.slices import Seat
from kubeslice.plan.tenancy import Member
from kubeslice.plan.topology import Pair, Ways

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


def views(
    project: str,
    config: SliceConfig,
    roster: Mapping[str, Seat],
    remote: str,
    published: Published,
    detoured: Detours | None = None,
) -> list[Object]:
    """Return the WorkerSliceGateways of all other members that lead to `remote`; none when it is no member.

    `published` is what `remote` says. What a member publishes itself it knows: its own side holds only its place.
    """
    target, found = roster.get(remote), detoured or Detours()
    if target is None or not target.subnet:
        return []
    octets = {cluster: seat.octet for cluster, seat in roster.items()}
    graph = topology.graph(config.spec, octets)
    ways = topology.ways(graph, found.relays)
    remote_end = _end(target) | _reachable_at(published)
    return [
        _view(
            project,
            config,
            side,
            _end(roster[side.local]) | {"gatewayName": side.name},
            remote_end | {"gatewayName": side.remote_name} | _passing(side, ways, roster),
            ways.relay(side.local, remote),
        )
        for side in sides_to(remote, config.metadata.name, graph, octets, found.swapped)
    ]


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
    return {
        "apiVersion": WORKERSLICEGATEWAYS.api_version,
        "kind": WORKERSLICEGATEWAYS.kind,
        "metadata": kept,
        "spec": {**spec, "remoteGatewayConfig": remote},
    }


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
