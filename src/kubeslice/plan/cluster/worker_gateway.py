"""One side of a pair of clusters, in the cluster: the SliceGateway, its status, and what the hub hears of its tunnels.

Called by the worker operator. The gateways write the state of their tunnels; this turns it into sentences.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Self
from zlib import crc32

from kubeslice.model import conditions, names
from kubeslice.model.slicegateway import GatewayPodStatus, LocalGatewayConfig, SliceGatewaySpec, TunnelStatus
from kubeslice.model.tunnels import PlanePeer, PlaneState
from kubeslice.model.workerslicegateway import WorkerSliceGateway
from kubeslice.plan import endpoints, findings, pods
from kubeslice.plan.cluster import gateway_workloads
from kubeslice.plan.findings import Finding
from kubeslice.plan.keys import gateway_keys

Object = dict[str, Any]

Place = tuple[int, int]  # plane and generation

# The hub hears figures of a gateway so often at most, and of so many of a cluster in a second, however many it has.
FIRST_WORD = 1.0
# Before the hub has sent the pre-shared keys there is no tunnel, and nothing to say that it does not know: only if it
# takes that long.
KEYLESS_WORD = 30.0
FIGURES_EVERY = 5.0
REPORTS_PER_SECOND = 0.5
# What a tunnel is; everything else in a plane's status is a figure that changes all the time.
STATE_FIELDS = ("plane", "generation", "state", "podName", "engine", "cipher", "pathMTU", "since", "message")


def spec(
    wanted: WorkerSliceGateway, waiting: Collection[Place] = (), held: Iterable[PlanePeer] = ()
) -> SliceGatewaySpec:
    """Return the spec of the SliceGateway that the hub's object asks for.

    Planes and generations that are `waiting` for their pre-shared key are left out: no tunnel goes without. Of what was
    `held` before, keys newer than all that the hub tells of stay: it was restored from a backup and will hear of them.
    """
    local, remote = wanted.spec.local_gateway_config, wanted.spec.remote_gateway_config
    newest: dict[int, int] = {}
    for peer in remote.planes:
        newest[peer.plane] = max(newest.get(peer.plane, 0), peer.generation)
    ahead = [peer for peer in held if peer.generation > newest.get(peer.plane, peer.generation)]
    return SliceGatewaySpec(
        slice_name=wanted.spec.slice_name,
        site_name=local.cluster_name,
        local_cluster=local.cluster_name,
        remote_cluster=remote.cluster_name,
        remote_subnet=remote.gateway_subnet,
        gateway_type=wanted.spec.gateway_type,
        host_type=wanted.spec.gateway_host_type or "Server",
        protocol=wanted.spec.gateway_protocol,
        cipher=wanted.spec.cipher,
        planes=sorted([*(peer for peer in remote.planes if _place(peer) not in waiting), *ahead], key=_place),
        transit_subnets=remote.transit_subnets,
        carried_subnets=remote.carried_subnets,
        relay=wanted.spec.relay,
    )


def waiting(wanted: WorkerSliceGateway, secrets: Mapping[int, Mapping[str, str]]) -> set[Place]:
    """Return the places of a pair whose pre-shared key the hub names and the plane's Secret does not hold yet."""
    if not (wanted.spec.gateway_credentials and wanted.spec.gateway_credentials.secret_name):
        return set()
    remote = wanted.spec.remote_gateway_config
    return {
        _place(peer)
        for peer in remote.planes
        if gateway_keys.shared_key(remote.cluster_name, peer.generation) not in secrets.get(peer.plane, {})
    }


def config(wanted: WorkerSliceGateway, node_ports: Sequence[int], state: str) -> LocalGatewayConfig:
    """Return the configuration in the form in which users of the Go implementation read it."""
    local, remote = wanted.spec.local_gateway_config, wanted.spec.remote_gateway_config
    return LocalGatewayConfig(
        slice_name=wanted.spec.slice_name,
        slice_site_name=local.cluster_name,
        slice_gateway_id=wanted.metadata.name,
        slice_gateway_name=wanted.metadata.name,
        slice_gateway_host_type=wanted.spec.gateway_host_type or "",
        slice_gateway_status=state,
        slice_gateway_type=wanted.spec.gateway_type,
        slice_gateway_protocol=wanted.spec.gateway_protocol,
        slice_gateway_connectivity_type=wanted.spec.gateway_connectivity_type,
        slice_gateway_subnet=local.gateway_subnet,
        slice_gateway_local_vpn_ip=local.vpn_ip,
        slice_gateway_node_ports=list(node_ports),
        slice_gateway_remote_cluster_id=remote.cluster_name,
        slice_gateway_remote_gateway_id=remote.gateway_name,
        slice_gateway_remote_subnet=remote.gateway_subnet,
        slice_gateway_remote_vpn_ip=remote.vpn_ip,
        slice_gateway_remote_node_ips=remote.node_ips,
        slice_gateway_remote_node_ports=remote.node_ports,
    )


def pod_status(
    slice_name: str, gateway_type: str, gateway_pods: Iterable[Object], planes: Sequence[PlaneState]
) -> list[GatewayPodStatus]:
    """Return a line for each gateway pod, with the state of its tunnel to the remote cluster."""
    by_plane = {plane.plane: plane for plane in planes}
    lines = []
    for pod in gateway_pods:
        plane = pods.plane(pod)
        state = by_plane.get(plane) if plane is not None else None
        line = GatewayPodStatus(
            pod_name=pod["metadata"]["name"],
            pod_ip=(pod.get("status") or {}).get("podIP") or "",
            local_nsm_ip=pods.overlay_address(pod, slice_name),
            pod_creation_ts=pod["metadata"].get("creationTimestamp") or "",
            remote_port=_port(state.endpoint) if state else None,
            tunnel_status=_tunnel(state, gateway_type) if state else None,
        )
        lines.append(line)
    return sorted(lines, key=lambda line: line.pod_name)


def readiness(remote: str, expected: int, planes: Sequence[PlaneState], peers: int, relay: str = "") -> Finding:
    """Return the Ready condition of a pair: `expected` planes, of which the hub told us keys of `peers`.

    `relay` is the cluster that carries the pair's traffic, "" when it goes directly.
    """
    up = _up(planes)
    if relay:
        own = f"{len(up)} of {expected} tunnels of its own up"
        return findings.ready("Relayed", f"{remote} is reached through {relay}, with {own}")
    if up:
        return findings.ready("TunnelUp", f"{_many(len(up), expected)} to {remote} up{_figures(up)}")
    if not peers:
        return findings.not_ready("WaitingForPeer", f"waiting for key and address of the gateway of {remote}")
    if not planes:
        return findings.not_ready("WaitingForGateway", f"no gateway has reported on its tunnel to {remote} yet")
    since = min((plane.since for plane in planes if plane.since), default="")
    message = f"no tunnel to {remote} is up" + (f" since {since}" if since else "")
    advice = f"see whether packets get to {_endpoints(planes) or 'its gateway'}"
    known = "; ".join(dict.fromkeys(plane.message for plane in planes if plane.message))
    return findings.not_ready("TunnelDown", f"{message}: {known or advice}")


def degradation(remote: str, expected: int, planes: Sequence[PlaneState], relay: str = "") -> Finding:
    """Return the Degraded condition of a pair: whether some of its tunnels are down while others carry the traffic."""
    if relay:
        message = f"{remote} is reached through {relay}, because it was not reached directly"
        return Finding(conditions.DEGRADED, "True", "Relayed", message)
    down = sorted(plane.plane for plane in planes if plane.state == "DOWN")
    up = len(_up(planes))
    if not up:
        return Finding(conditions.DEGRADED, "False", "WaitingForTunnel", f"no tunnel to {remote} is up: see Ready")
    if down:
        which = " and ".join(map(str, down))
        message = f"{up} of {expected} tunnels to {remote} up, none on plane {which}: traffic takes the others"
        return Finding(conditions.DEGRADED, "True", "TunnelDegraded", message)
    if up < expected:
        message = f"{up} of {expected} tunnels to {remote} up, the others have not been reported yet"
        return Finding(conditions.DEGRADED, "Unknown", "WaitingForGateway", message)
    problem = next((plane for plane in planes if plane.state == "UP" and plane.message), None)
    if problem is not None:
        return Finding(conditions.DEGRADED, "True", "TunnelImpaired", f"plane {problem.plane}: {problem.message}")
    return Finding(conditions.DEGRADED, "False", "TunnelUp", f"every tunnel to {remote} is up")


def is_same_state(one: Iterable[Object], other: Iterable[Object]) -> bool:
    """Tell whether two lists of planes differ in figures only; a plane of which nothing is known yet is no news."""
    return _states(one) == _states(other)


class Told(NamedTuple):
    """When the hub was told of a gateway, after how much of an interval figures follow, whether its keys were there."""

    moment: float
    share: float
    is_keyed: bool = True

    @classmethod
    def known(cls, before: Self | None, name: str, now: float, *, is_keyed: bool) -> Self:
        """Return what was known `before`, or that the gateway is met, and met anew when its keys have come.

        What a worker that starts again finds told on the hub is as good as told by itself.
        """
        if before is None or (is_keyed and not before.is_keyed):
            return cls.state(name, now)._replace(is_keyed=is_keyed)
        return before

    @classmethod
    def state(cls, name: str, now: float) -> Self:
        """Return that its state was told, or the gateway met.

        Gateways that come up together do not tell figures together: each waits for a share of its own, by its name.
        """
        return cls(now, crc32(name.encode()) / (1 << 32))

    @classmethod
    def figures(cls, now: float) -> Self:
        """Return that figures were told."""
        return cls(now, 1.0)

    def due(self, gateways: int, *, is_first: bool) -> float:
        """Return when to tell more of a gateway whose state stays, which is one of `gateways` of the cluster.

        The first word of all waits for what the tunnel comes to.
        """
        if is_first:
            return self.moment + (FIRST_WORD if self.is_keyed else KEYLESS_WORD)
        return self.moment + self.share * max(FIGURES_EVERY, gateways / REPORTS_PER_SECOND)


def planes_of(gateway: Object, expected: int, alive: Collection[str]) -> list[PlaneState]:
    """Return what the gateways reported on a SliceGateway for the planes that there are.

    The tunnel of a pod that is not `alive` any more is down.
    """
    entries = (gateway.get("status") or {}).get("planes") or []
    states = [PlaneState.model_validate(entry) for entry in entries if int(entry["plane"]) < expected]
    current = [state if not state.pod_name or state.pod_name in alive else _gone(state) for state in states]
    return sorted(current, key=lambda plane: plane.plane)


def node_ports(slice_spec: Mapping[str, Any], services: Iterable[Object]) -> list[int]:
    """Return the node ports of this cluster's gateways, by plane and generation."""
    name, planes = str(slice_spec.get("sliceName")), int(slice_spec.get("gatewayReplicas") or 1)
    by_name = {service["metadata"]["name"]: service for service in services}
    ports = [
        gateway_workloads.node_port(by_name.get(names.gateway_deployment(name, plane), {}), generation)
        for plane in range(planes)
        for generation in gateway_keys.generations(slice_spec, plane)
    ]
    return [port for port in ports if port]


def _place(peer: PlanePeer) -> Place:
    return peer.plane, peer.generation


def _up(planes: Iterable[PlaneState]) -> list[PlaneState]:
    return [plane for plane in planes if plane.state == "UP"]


def _gone(state: PlaneState) -> PlaneState:
    since = state.since if state.state == "DOWN" else ""
    return state.model_copy(update={"state": "DOWN", "since": since, "latency_microseconds": None})


def _states(planes: Iterable[Object]) -> list[tuple[Any, ...]]:
    known = [plane for plane in planes if plane.get("state") in ("UP", "DOWN")]
    return sorted(tuple(plane.get(key) for key in STATE_FIELDS) for plane in known)


def _tunnel(state: PlaneState, gateway_type: str) -> TunnelStatus:
    latency = state.latency_microseconds
    return TunnelStatus(
        intf_name=names.wireguard_interface(state.generation or 1) if gateway_type == "Wireguard" else "",
        latency=round(latency / 1000) if latency is not None else None,
        packet_loss=round(state.loss_percent) if state.loss_percent is not None else None,
        status=0 if state.state == "UP" else 1,
        tunnel_state=state.state,
    )


def _many(up: int, expected: int) -> str:
    return "tunnel" if expected == 1 else f"{up} of {expected} tunnels"


def _figures(up: Sequence[PlaneState]) -> str:
    handshake = max((plane.last_handshake_time for plane in up), default="")
    latencies = [plane.latency_microseconds for plane in up if plane.latency_microseconds is not None]
    parts = [f"last handshake {handshake}"] if handshake else []
    parts += [f"{min(latencies) / 1000:.1f} ms"] if latencies else []
    return "".join(f", {part}" for part in parts)


def _endpoints(planes: Sequence[PlaneState]) -> str:
    return " and ".join(dict.fromkeys(plane.endpoint for plane in planes if plane.endpoint))


def _port(endpoint: str) -> int | None:
    found = endpoints.parse(endpoint)
    return found.port if found else None
