"""How a slice does in one cluster, and what the hub is told about it. Called by the worker operator.

One sentence sums it up: the first thing that is missing, or what there is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from kubeslice.model import conditions, names
from kubeslice.model.apppods import AppPod
from kubeslice.model.tunnels import PlaneGateway
from kubeslice.plan import findings, pods
from kubeslice.plan.address.ipam import ClusterPlan
from kubeslice.plan.cluster import gateway_workloads, worker_parts
from kubeslice.plan.cluster.worker_parts import View
from kubeslice.plan.findings import Finding
from kubeslice.plan.keys import gateway_keys

Object = dict[str, Any]

NAMESPACES_ONBOARDED = "NamespacesOnboarded"
ADDRESSES_AVAILABLE = "AddressesAvailable"
HUB_REACHABLE = "HubReachable"
MAX_ENDPOINTS = 8


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


def readiness(view: View) -> Finding:
    """Return the Ready condition of the slice in this cluster."""
    for part in worker_parts.components(view):
        if part.complaint and not part.has_spare:
            return findings.not_ready(part.reason, part.complaint)
    if not view.has_network:
        return findings.ready("Ready", f"{_count(len(view.spec.get('namespaces') or []), 'namespace')} onboarded")
    attached = len(app_pods(view))
    up, wanted = worker_parts.tunnels(view)
    return findings.ready("Ready", f"{_count(attached, 'pod')} on the slice, {up} of {_count(wanted, 'tunnel')} up")


def degradation(view: View) -> Finding:
    """Return the condition about what is missing while the slice works without it."""
    missing = [part for part in worker_parts.components(view) if part.complaint and part.has_spare]
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


def app_pods(view: View) -> list[AppPod]:
    """Return the application pods that have an address on the slice, by namespace and name."""
    subnet = view.spec.get("clusterSubnet")
    plan = ClusterPlan(IPv4Network(subnet)) if subnet else None
    attached = [pod for pod in view.of_role(names.APP_POD) if pods.overlay_address(pod, view.name)]
    lines = [_app_pod(pod, view.name, plan) for pod in attached]
    return sorted(lines, key=lambda line: (line.pod_namespace, line.pod_name))


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
    """Return where a plane's gateway is reached from other clusters, `node`, where its pod runs, first.

    A load balancer may come late; until then the ports of the nodes lead to the gateway as they did before.
    """
    service = view.service(plane)
    if service is None:
        return []
    found = gateway_workloads.balancers(service) if gateway_workloads.is_balanced(service) else []
    port = names.tunnel_port(generation)
    if not found:
        by_distance = sorted(view.node_addresses.items(), key=lambda item: (item[0] != node, item[0]))
        found, port = [address for _, address in by_distance], gateway_workloads.node_port(service, generation)
    near = list(dict.fromkeys(found))[:MAX_ENDPOINTS] if port else []
    return [f"[{address}]:{port}" if ":" in address else f"{address}:{port}" for address in near]


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


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
