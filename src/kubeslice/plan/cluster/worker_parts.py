"""The parts of a slice in one cluster: what the operator sees of them, which of them work, and what is missing.

`worker_report` makes conditions of it; the operator reports them here and on the hub.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from kubeslice.model import names
from kubeslice.model.tunnels import PlaneState
from kubeslice.plan import pods
from kubeslice.plan.cluster import gateway_workloads, worker_gateway

Object = dict[str, Any]
Health = Literal["Normal", "Warning", "Error"]


@dataclass(frozen=True)
class View:
    """What the operator sees of one slice: its Slice, the slice's pods, its SliceGateways, and who else works."""

    slice: Object
    pods: Sequence[Object]
    gateways: Sequence[Object]
    services: Sequence[Object] = ()
    secrets: Mapping[int, Mapping[str, str]] = field(default_factory=dict, repr=False)
    node_addresses: dict[str, str] = field(default_factory=dict)
    last_nodes: Mapping[int, str] = field(default_factory=dict)
    is_dns_ready: bool = True

    @property
    def name(self) -> str:
        """Return the slice's name."""
        return str(self.slice["metadata"]["name"])

    @property
    def spec(self) -> Object:
        """Return the spec of the Slice."""
        return self.slice.get("spec") or {}

    @property
    def has_network(self) -> bool:
        """Tell whether pods get an address on the slice."""
        return bool(self.spec.get("clusterSubnet"))

    @property
    def planes(self) -> int:
        """Return the number of planes; 0 without a network."""
        return int(self.spec.get("gatewayReplicas") or 1) if self.has_network else 0

    def of_role(self, role: str) -> list[Object]:
        """Return the slice's pods that play a role."""
        return pods.on_slice(list(self.pods), self.name, role)

    def gateway_pod(self, plane: int) -> Object | None:
        """Return the gateway pod of a plane, the ready one if there are two."""
        found = [pod for pod in self.of_role(names.GATEWAY_POD) if pods.plane(pod) == plane]
        return max(found, key=pods.is_ready, default=None)

    def service(self, plane: int) -> Object | None:
        """Return the gateway Service of a plane."""
        wanted = names.gateway_deployment(self.name, plane)
        return next((service for service in self.services if service["metadata"]["name"] == wanted), None)


@dataclass(frozen=True)
class Component:
    """One part of a slice: how it is, and why it is not well. With `has_spare` something else does its work."""

    name: str
    complaint: str = ""
    reason: str = ""
    has_spare: bool = False

    @property
    def health(self) -> Health:
        """Return the health in the words of the Go implementation."""
        if not self.complaint:
            return "Normal"
        return "Warning" if self.has_spare else "Error"


def components(view: View) -> list[Component]:
    """Return the parts of a slice, the most basic first."""
    if not view.has_network:
        return []
    return [_router(view), _gateways(view), _tunnels(view), _dns(view)]


def tunnels(view: View) -> tuple[int, int]:
    """Return how many tunnels are up and how many there should be."""
    states = [plane.state == "UP" for gateway in view.gateways for plane in _planes(view, gateway)]
    return sum(states), len(view.gateways) * view.planes


def slice_health(view: View, seen: Object, now: str) -> Object:
    """Return `sliceHealth`; `lastUpdated` stays while nothing else changes."""
    parts = components(view)
    health = {
        "sliceHealthStatus": "Warning" if any(part.complaint for part in parts) else "Normal",
        "componentStatuses": [{"component": part.name, "componentHealthStatus": part.health} for part in parts],
    }
    is_same = all(seen.get(key) == value for key, value in health.items())
    return {**health, "lastUpdated": seen.get("lastUpdated") if is_same and seen.get("lastUpdated") else now}


def _router(view: View) -> Component:
    routers = view.of_role(names.ROUTER_POD)
    ready = {pods.router(pod) for pod in routers if pods.is_ready(pod)}
    missing = [number for number in range(names.ROUTERS) if number not in ready]
    if not missing:
        return Component("slice-router")
    own = [pod for pod in routers if pods.router(pod) == missing[0]]
    complaint = _waiting(f"router {missing[0]}", own, view.name)
    if ready:
        return Component("slice-router", complaint, "WaitingForRouter", has_spare=True)
    return Component("slice-router", complaint, "RouterNotReady")


def _gateways(view: View) -> Component:
    found = [view.gateway_pod(plane) for plane in range(view.planes)]
    missing = [plane for plane, pod in enumerate(found) if pod is None or not pods.is_ready(pod)]
    if not missing:
        return _exposure(view)
    pod = found[missing[0]]
    complaint = _waiting(f"the gateway of plane {missing[0]}", [pod] if pod else [], view.name)
    if len(missing) < view.planes:
        return Component("slice-gateway", complaint, "WaitingForGateway", has_spare=True)
    return Component("slice-gateway", complaint, "GatewayNotReady")


def _exposure(view: View) -> Component:
    for plane in range(view.planes):
        service = view.service(plane)
        if service and gateway_workloads.awaits_balancer(service):
            name = f"{names.WORKER_NAMESPACE}/{service['metadata']['name']}"
            complaint = f"the gateway of plane {plane} has no address from a load balancer yet: see Service {name}"
            return Component("slice-gateway", complaint, "WaitingForLoadBalancer", has_spare=True)
    return Component("slice-gateway")


def _tunnels(view: View) -> Component:
    states, relayed = {}, set()
    for gateway in view.gateways:
        spec = gateway.get("spec") or {}
        remote = str(spec.get("remoteCluster"))
        states[remote] = [plane.state for plane in _planes(view, gateway)]
        relayed |= {remote} if spec.get("relay") else set()
    down = sorted(remote for remote, planes in states.items() if "UP" not in planes and remote not in relayed)
    if down:
        return Component("gateway-tunnel", f"no tunnel is up to {', '.join(down)}", "TunnelDown")
    partly = sorted(remote for remote, planes in states.items() if "DOWN" in planes)
    if partly:
        complaint = f"not every tunnel is up to {', '.join(partly)}"
        return Component("gateway-tunnel", complaint, "TunnelDegraded", has_spare=True)
    return Component("gateway-tunnel")


def _dns(view: View) -> Component:
    if view.is_dns_ready:
        return Component("dns")
    return Component("dns", f"{names.DNS_SERVICE} has no ready pod, so names of services do not resolve", "DnsNotReady")


def _planes(view: View, gateway: Object) -> list[PlaneState]:
    alive = {pod["metadata"]["name"] for pod in view.of_role(names.GATEWAY_POD)}
    return worker_gateway.planes_of(gateway, view.planes, alive)


def _waiting(what: str, found: Sequence[Object], slice_name: str) -> str:
    if not found:
        return f"{what} has no pod yet"
    pod = found[0]
    name = pod["metadata"]["name"]
    if not (pod.get("spec") or {}).get("nodeName"):
        return f"{what} has no node yet: see the events of pod {names.WORKER_NAMESPACE}/{name}"
    if not pods.overlay_address(pod, slice_name):
        return f"{what} waits for its interface on the slice: see pod {names.WORKER_NAMESPACE}/{name} and its agent"
    return f"{what} is not ready: see pod {names.WORKER_NAMESPACE}/{name}"
