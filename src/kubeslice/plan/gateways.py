"""What every member of a slice has to know to build tunnels to one other member. Called by `hub.gateways`.

A cluster's news (a new public key, another port) concerns exactly the views that the others have of it, so views are
planned by the cluster they lead to: the work for a change is as large as what it changes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from kubeslice.model import names
from kubeslice.model.resources import WORKERSLICEGATEWAYS
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.plan import ipam, slices
from kubeslice.plan.pairs import Side, full_mesh
from kubeslice.plan.slices import Seat
from kubeslice.plan.tenancy import Member

Object = dict[str, Any]


@dataclass(frozen=True)
class Published:
    """What a cluster says about its own gateways: the planes of its WorkerSliceConfig and its node addresses."""

    planes: Sequence[Mapping[str, Any]] = ()
    node_ips: Sequence[str] = ()


def views(
    project: str, config: SliceConfig, roster: Mapping[str, Seat], remote: str, published: Published
) -> list[Object]:
    """Return the WorkerSliceGateways of all other members that lead to `remote`; none when it is no member.

    `published` is what `remote` says. What a member publishes itself it knows: its own side holds only its place.
    """
    target = roster.get(remote)
    if target is None or not target.subnet:
        return []
    planes = _planes(published.planes)
    remote_end = _end(target) | {"nodeIps": list(published.node_ips), "nodePorts": _ports(planes), "planes": planes}
    return [
        _view(
            project,
            config,
            side,
            _end(roster[side.local]) | {"gatewayName": side.name},
            remote_end | {"gatewayName": side.remote_name},
        )
        for side in _sides_to(config, roster, remote)
    ]


def _sides_to(config: SliceConfig, roster: Mapping[str, Seat], remote: str) -> Iterable[Side]:
    listed = {cluster: place for place, cluster in enumerate(config.spec.clusters)}
    octets = {cluster: seat.octet for cluster, seat in roster.items()}
    order = sorted(roster, key=lambda cluster: (listed.get(cluster, len(listed)), octets[cluster]))
    place = order.index(remote)
    for other, local in enumerate(order):
        pair = (local, remote) if other < place else (remote, local)
        yield from (side for side in full_mesh(config.metadata.name, pair, octets) if side.remote == remote)


def _view(project: str, config: SliceConfig, side: Side, local_end: Object, remote_end: Object) -> Object:
    # As in the Go implementation, the Server's side decides how the pair is exposed.
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
            "gatewayNumber": side.number,
            "localGatewayConfig": local_end,
            "remoteGatewayConfig": remote_end,
        },
    }


def _end(seat: Seat) -> Object:
    vpn_ip = str(ipam.ClusterPlan(IPv4Network(seat.subnet)).gateway(0))
    return {"clusterName": seat.cluster, "gatewaySubnet": seat.subnet, "vpnIp": vpn_ip}


def _planes(reported: Iterable[Mapping[str, Any]]) -> list[Object]:
    planes = [
        {
            "plane": int(plane.get("plane") or 0),
            "publicKey": str(plane.get("publicKey") or ""),
            "endpoints": list(plane.get("endpoints") or []),
        }
        for plane in reported
    ]
    return sorted(planes, key=lambda plane: plane["plane"])


def _ports(planes: Iterable[Mapping[str, Any]]) -> list[int]:
    ports = []
    for plane in planes:
        for endpoint in (plane.get("endpoints") or [])[:1]:
            _, _, port = str(endpoint).rpartition(":")
            ports += [int(port)] if port.isdecimal() else []
    return ports
