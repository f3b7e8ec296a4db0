"""The gateways of a slice in one cluster: per plane a Deployment and its Service, and what they may read.

Pure: `worker.workloads` applies what these functions return. What the gateways must know in secret is planned by
`gateway_keys`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kubeslice.model import names
from kubeslice.model.resources import ROLES, SECRETS, SERVICEACCOUNTS
from kubeslice.plan.cluster import workloads
from kubeslice.plan.cluster.workloads import Build, Owner

Object = dict[str, Any]

DRAIN = 15  # seconds that a gateway may take to hand its traffic over before it ends


@dataclass(frozen=True)
class Exposure:
    """How the gateways are reached from other clusters."""

    type: Literal["NodePort", "LoadBalancer"] = "NodePort"
    protocol: Literal["TCP", "UDP"] = "UDP"


def exposure(spec: Mapping[str, Any], provider: Mapping[str, Any]) -> Exposure:
    """Return how gateways are exposed, by the spec of a Slice and what the hub says; WireGuard is always UDP."""
    is_balanced = provider.get("sliceGatewayServiceType") == "LoadBalancer"
    is_stream = spec.get("gatewayType") == "OpenVPN" and provider.get("sliceGatewayProtocol") == "TCP"
    return Exposure("LoadBalancer" if is_balanced else "NodePort", "TCP" if is_stream else "UDP")


def deployment(owner: Owner, plane: int, build: Build) -> Object:
    """Return the Deployment of one plane's gateway."""
    environment = [workloads.env("SLICE", owner.name), workloads.env("PLANE", str(plane))]
    main = workloads.container("gateway", build, environment)
    main["securityContext"] = {"privileged": True} if build.privileged_gateways else workloads.net_admin()
    template = workloads.pod(build, names.gateway_account(owner.name), main)
    own = labels(owner, plane)
    template |= {"terminationGracePeriodSeconds": DRAIN, **_placement(own)}
    return workloads.deployment(owner, names.gateway_deployment(owner.name, plane), own, template)


def service(owner: Owner, plane: int, exposed: Exposure) -> Object:
    """Return the Service at which other clusters reach one plane's gateway: a port for either parity of generations.

    It is published before it is ready, because it is ready only when its tunnels are, and they come up through it.
    """
    own = labels(owner, plane)
    ports = [
        {"name": name, "port": port, "targetPort": port, "protocol": exposed.protocol} for name, port in tunnel_ports()
    ]
    return {
        "metadata": workloads.metadata(owner, names.gateway_deployment(owner.name, plane), own),
        "spec": {"type": exposed.type, "selector": own, "ports": ports, "publishNotReadyAddresses": True},
    }


def secret(owner: Owner, plane: int, data: Mapping[str, str | None]) -> Object:
    """Return the Secret of one plane, with `data` in base64; only its public parts ever leave the cluster."""
    metadata = workloads.metadata(owner, names.gateway_deployment(owner.name, plane), labels(owner, plane))
    return {"metadata": metadata, "type": "kubeslice.io/gateway", "data": dict(data)}


def budgets(owner: Owner, planes: int) -> list[Object]:
    """Return the PodDisruptionBudget of the gateways: a drain takes one plane at a time; none for a single plane."""
    if planes < 2:
        return []
    role = workloads.labels(owner, names.GATEWAY_POD)
    return [workloads.budget(owner, names.gateway_account(owner.name), role, planes - 1)]


def account(owner: Owner) -> Object:
    """Return the ServiceAccount of a slice's gateways."""
    return {"metadata": _metadata(owner, names.gateway_account(owner.name))}


def role(owner: Owner, planes: Iterable[int]) -> Object:
    """Return the Role that opens the Secrets of these planes of the slice, and no other."""
    secrets = [names.gateway_deployment(owner.name, plane) for plane in sorted(planes)]
    rule = {
        "apiGroups": [SECRETS.group],
        "resources": [SECRETS.plural],
        "resourceNames": secrets,
        "verbs": ["get", "list", "watch"],
    }
    return {"metadata": _metadata(owner, names.gateway_account(owner.name)), "rules": [rule]}


def bindings(owner: Owner) -> list[Object]:
    """Return the RoleBindings: to the slice's own Role, and to what the gateways of all slices may do."""
    own, common = names.gateway_account(owner.name), names.GATEWAY_ROLE
    return [_binding(owner, own, own), _binding(owner, f"{common}-{owner.name}", common)]


def labels(owner: Owner, plane: int) -> dict[str, str]:
    """Return the labels of one plane's gateway."""
    return {**workloads.labels(owner, names.GATEWAY_POD), names.PLANE_LABEL: str(plane)}


def tunnel_ports() -> list[tuple[str, int]]:
    """Return name and number of the ports where a gateway listens, one for each parity of generations."""
    return [(f"tunnel-{parity}", names.tunnel_port(parity)) for parity in (0, 1)]


def node_port(service: Mapping[str, Any], generation: int) -> int:
    """Return the port on the nodes that leads to one generation's port of a gateway, 0 while there is none."""
    ports = (service.get("spec") or {}).get("ports") or []
    found = (entry.get("nodePort") for entry in ports if entry.get("port") == names.tunnel_port(generation))
    return int(next(found, None) or 0)


def is_balanced(service: Mapping[str, Any]) -> bool:
    """Tell whether a gateway's Service is reached through a load balancer."""
    return (service.get("spec") or {}).get("type") == "LoadBalancer"


def awaits_balancer(service: Mapping[str, Any]) -> bool:
    """Tell whether a gateway's Service is to be reached through a load balancer that has not come yet."""
    return is_balanced(service) and not balancers(service)


def balancers(service: Mapping[str, Any]) -> list[str]:
    """Return the addresses or host names of a Service's load balancer, none while it has not come."""
    entries = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    return [str(address) for entry in entries if (address := entry.get("ip") or entry.get("hostname"))]


def _binding(owner: Owner, name: str, role_name: str) -> Object:
    subject = {
        "kind": SERVICEACCOUNTS.kind,
        "name": names.gateway_account(owner.name),
        "namespace": names.WORKER_NAMESPACE,
    }
    return {
        "metadata": _metadata(owner, name),
        "roleRef": {"apiGroup": ROLES.group, "kind": ROLES.kind, "name": role_name},
        "subjects": [subject],
    }


def _metadata(owner: Owner, name: str) -> Object:
    return workloads.metadata(owner, name, workloads.labels(owner, names.GATEWAY_POD))


def _placement(own_labels: dict[str, str]) -> Object:
    """Prefer gateway nodes, and keep planes on different nodes, so that no node is all of a slice's gateways."""
    on_gateway_nodes = {
        "weight": 100,
        "preference": {
            "matchExpressions": [{"key": names.NODE_TYPE_LABEL, "operator": "In", "values": [names.GATEWAY_NODE]}]
        },
    }
    apart = workloads.apart(own_labels, names.PLANE_LABEL)
    nodes = {"preferredDuringSchedulingIgnoredDuringExecution": [on_gateway_nodes]}
    return {**apart, "affinity": {**apart["affinity"], "nodeAffinity": nodes}}
