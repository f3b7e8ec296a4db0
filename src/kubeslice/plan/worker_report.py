"""How a slice does in one cluster, and what the hub is told about it. Called by the worker operator.

One sentence sums it up: the first thing that is missing, or what there is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Literal

from kubeslice.model import conditions, names
from kubeslice.model.apppods import AppPod
from kubeslice.model.tunnels import PlaneGateway, PlaneState
from kubeslice.plan import findings, gateway_keys, gateway_workloads, pods, worker_gateway
from kubeslice.plan.findings import Finding
from kubeslice.plan.ipam import ClusterPlan

Object = dict[str, Any]
Health = Literal["Normal", "Warning", "Error"]

NAMESPACES_ONBOARDED = "NamespacesOnboarded"
ADDRESSES_AVAILABLE = "AddressesAvailable"
HUB_REACHABLE = "HubReachable"
MAX_ENDPOINTS = 8


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


# What others act on; the rest of a report is for people and may come a little later.
NEWS = ("gateways", "sliceConfig", "onboardedAppNamespaces", "applicationNamespaces")


@dataclass(frozen=True)
class Report:
    """What is said about a slice in one place."""

    found: Sequence[Finding]
    status: Mapping[str, Any]

    def is_news(self, seen: Object) -> bool:
        """Tell whether it says more than other words than the object as `seen`."""
        before = seen.get("status") or {}
        told = {(entry["type"], entry["status"], entry["reason"]) for entry in before.get("conditions") or []}
        turned = any((finding.type, finding.status, finding.reason) not in told for finding in self.found)
        return turned or any(
            (self.status[key] or None) != (before.get(key) or None) for key in NEWS if key in self.status
        )


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


def readiness(view: View) -> Finding:
    """Return the Ready condition of the slice in this cluster."""
    for part in components(view):
        if part.complaint and not part.has_spare:
            return findings.not_ready(part.reason, part.complaint)
    if not view.has_network:
        return findings.ready("Ready", f"{_count(len(view.spec.get('namespaces') or []), 'namespace')} onboarded")
    attached = len(app_pods(view))
    up, wanted = tunnels(view)
    return findings.ready("Ready", f"{_count(attached, 'pod')} on the slice, {up} of {_count(wanted, 'tunnel')} up")


def degradation(view: View) -> Finding:
    """Return the condition about what is missing while the slice works without it."""
    missing = [part for part in components(view) if part.complaint and part.has_spare]
    if not missing:
        return Finding(conditions.DEGRADED, "False", "NothingMissing", "every part of the slice works")
    message = "; ".join(part.complaint for part in missing)
    return Finding(conditions.DEGRADED, "True", missing[-1].reason, message)


def onboarding(refusals: Sequence[str]) -> Finding:
    """Return the condition about the slice's namespaces."""
    if refusals:
        return Finding(NAMESPACES_ONBOARDED, "False", "NamespaceRefused", "; ".join(refusals))
    return Finding(NAMESPACES_ONBOARDED, "True", "Onboarded", "every namespace of the slice is onboarded")


def addresses(shortages: Sequence[str]) -> Finding:
    """Return the condition about the addresses of the cluster's nodes."""
    if shortages:
        return Finding(ADDRESSES_AVAILABLE, "False", "SubnetExhausted", "; ".join(shortages))
    return Finding(ADDRESSES_AVAILABLE, "True", "Available", "every node has addresses for more pods")


def tunnels(view: View) -> tuple[int, int]:
    """Return how many tunnels are up and how many there should be."""
    states = [plane.state == "UP" for gateway in view.gateways for plane in _planes(view, gateway)]
    return sum(states), len(view.gateways) * view.planes


def app_pods(view: View) -> list[AppPod]:
    """Return the application pods that have an address on the slice, by namespace and name."""
    subnet = view.spec.get("clusterSubnet")
    plan = ClusterPlan(IPv4Network(subnet)) if subnet else None
    attached = [pod for pod in view.of_role(names.APP_POD) if pods.overlay_address(pod, view.name)]
    lines = [_app_pod(pod, view.name, plan) for pod in attached]
    return sorted(lines, key=lambda line: (line.pod_namespace, line.pod_name))


def slice_health(view: View, seen: Object, now: str) -> Object:
    """Return `sliceHealth`; `lastUpdated` stays while nothing else changes."""
    parts = components(view)
    health = {
        "sliceHealthStatus": "Warning" if any(part.complaint for part in parts) else "Normal",
        "componentStatuses": [{"component": part.name, "componentHealthStatus": part.health} for part in parts],
    }
    is_same = all(seen.get(key) == value for key, value in health.items())
    return {**health, "lastUpdated": seen.get("lastUpdated") if is_same and seen.get("lastUpdated") else now}


def gateways(view: View) -> list[PlaneGateway]:
    """Return keys and endpoints of each plane and generation that has both, as the hub passes them on to others."""
    return [
        line
        for plane in range(view.planes)
        for generation in gateway_keys.generations(view.spec, plane)
        if (line := _gateway(view, plane, generation)) is not None
    ]


def _gateway(view: View, plane: int, generation: int) -> PlaneGateway | None:
    pod, secret = view.gateway_pod(plane), view.secrets.get(plane, {})
    # While a pod is being replaced, the place of the one before is the best guess.
    node = str(((pod or {}).get("spec") or {}).get("nodeName") or view.last_nodes.get(plane, ""))
    key, request = (secret.get(name(generation), "") for name in (gateway_keys.public_key, gateway_keys.request))
    reachable = endpoints(view, plane, generation, node)
    if not key or not reachable:
        return None
    return PlaneGateway(
        plane=plane,
        generation=generation,
        public_key=key,
        certificate_request=request,
        endpoints=reachable,
        pod=pod["metadata"]["name"] if pod else "",
        node=node,
    )


def endpoints(view: View, plane: int, generation: int, node: str) -> list[str]:
    """Return where a plane's gateway is reached from other clusters, `node`, where its pod runs, first."""
    service = view.service(plane)
    if service is None:
        return []
    if _is_balanced(service):
        found, port = _balancers(service), names.tunnel_port(generation)
    else:
        by_distance = sorted(view.node_addresses.items(), key=lambda item: (item[0] != node, item[0]))
        found, port = [address for _, address in by_distance], gateway_workloads.node_port(service, generation)
    near = list(dict.fromkeys(found))[:MAX_ENDPOINTS] if port else []
    return [f"[{address}]:{port}" if ":" in address else f"{address}:{port}" for address in near]


def _balancers(service: Object) -> list[str]:
    entries = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    return [str(address) for entry in entries if (address := entry.get("ip") or entry.get("hostname"))]


def _app_pod(pod: Object, slice_name: str, plan: ClusterPlan | None) -> AppPod:
    meta, status = pod["metadata"], pod.get("status") or {}
    address = pods.overlay_address(pod, slice_name)
    return AppPod(
        pod_name=meta["name"],
        pod_namespace=meta["namespace"],
        pod_ip=status.get("podIP") or "",
        nsm_ip=address,
        nsm_interface=names.OVERLAY_INTERFACE,
        nsm_peer_ip=str(plan.next_hop_for(IPv4Address(address))) if plan is not None else "",
    )


def _router(view: View) -> Component:
    routers = view.of_role(names.ROUTER_POD)
    ready = {pods.router(pod) for pod in routers if pods.is_ready(pod)}
    missing = [number for number in range(names.ROUTERS) if number not in ready]
    if not missing:
        return Component("slice-router")
    own = [pod for pod in routers if pods.router(pod) == missing[0]]
    complaint = _waiting(f"router {missing[0]}", own, view.name)
    return _spared("slice-router", complaint, "Router", has_spare=bool(ready))


def _gateways(view: View) -> Component:
    found = [view.gateway_pod(plane) for plane in range(view.planes)]
    missing = [plane for plane, pod in enumerate(found) if pod is None or not pods.is_ready(pod)]
    if not missing:
        return _exposure(view)
    pod = found[missing[0]]
    complaint = _waiting(f"the gateway of plane {missing[0]}", [pod] if pod else [], view.name)
    return _spared("slice-gateway", complaint, "Gateway", has_spare=len(missing) < view.planes)


def _exposure(view: View) -> Component:
    for plane in range(view.planes):
        service = view.service(plane)
        if service and _is_balanced(service) and not _balancers(service):
            name = f"{names.WORKER_NAMESPACE}/{service['metadata']['name']}"
            complaint = f"the gateway of plane {plane} has no address from a load balancer yet: see Service {name}"
            return Component("slice-gateway", complaint, "WaitingForLoadBalancer", has_spare=True)
    return Component("slice-gateway")


def _spared(name: str, complaint: str, what: str, *, has_spare: bool) -> Component:
    reason = f"WaitingFor{what}" if has_spare else f"{what}NotReady"
    return Component(name, complaint, reason, has_spare=has_spare)


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


def _is_balanced(service: Object) -> bool:
    return (service.get("spec") or {}).get("type") == "LoadBalancer"


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


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
