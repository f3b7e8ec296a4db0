"""Services and their EndpointSlices as the proxy of one node sees them. Pure.

Source: pkg/proxy/topology.go (CategorizeEndpoints) and the Service API.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object

SERVICE_NAME = "kubernetes.io/service-name"
DEFAULT_AFFINITY = 10800


@dataclass(frozen=True, order=True)
class Backend:
    """One address and port that traffic may go to; `is_local` when it is on this node."""

    address: str
    port: int
    is_local: bool = False


@dataclass(frozen=True, order=True)
class Frontend:
    """One port of one Service. `internal` serves the cluster address, `external` node ports and outer addresses."""

    name: str
    protocol: str
    port: int
    cluster_ip: str
    outer_ips: tuple[str, ...]
    node_port: int
    cluster: tuple[Backend, ...]
    local: tuple[Backend, ...]
    is_internal_local: bool
    is_external_local: bool
    affinity: int

    @property
    def internal(self) -> tuple[Backend, ...]:
        """Return the backends of the cluster address."""
        return self.local if self.is_internal_local else self.cluster

    @property
    def external(self) -> tuple[Backend, ...]:
        """Return the backends of traffic from outside the cluster."""
        return self.local if self.is_external_local else self.cluster


def frontends(services: Iterable[Object], slices: Iterable[Object], node: str) -> list[Frontend]:
    """Return what the Services offer on `node`, in a stable order."""
    by_service: dict[tuple[str, str], list[Object]] = {}
    for each in slices:
        name = objects.labels(each).get(SERVICE_NAME)
        if name and each.get("addressType") == "IPv4":
            by_service.setdefault((objects.namespace(each), name), []).append(each)
    found = [
        frontend
        for service in services
        if _has_address(service)
        for frontend in _of_service(
            service, by_service.get((objects.namespace(service), objects.name(service)), []), node
        )
    ]
    return sorted(found)


def _of_service(service: Object, slices: Sequence[Object], node: str) -> list[Frontend]:
    spec = objects.spec(service)
    made = []
    for port in spec.get("ports") or []:
        protocol, name = str(port.get("protocol") or "TCP"), str(port.get("name") or "")
        known = [entry for each in slices for entry in _entries(each, name, protocol, node)]
        made.append(
            Frontend(
                name=f"{objects.namespace(service)}/{objects.name(service)}/{protocol.lower()}/{name}",
                protocol=protocol.lower(),
                port=int(port["port"]),
                cluster_ip=str(spec["clusterIP"]),
                outer_ips=_outer_ips(service),
                node_port=int(port.get("nodePort") or 0),
                cluster=usable(known),
                local=usable([entry for entry in known if entry[0].is_local]),
                is_internal_local=spec.get("internalTrafficPolicy") == "Local",
                is_external_local=spec.get("externalTrafficPolicy") == "Local",
                affinity=_affinity(spec),
            )
        )
    return made


def usable(entries: Iterable[tuple[Backend, Mapping[str, Any]]]) -> tuple[Backend, ...]:
    """Return the ready backends; if there are none, those that still serve while they end (KEP-1669)."""
    known = list(entries)
    ready = {backend for backend, conditions in known if conditions.get("ready") is not False}
    ending = {
        backend
        for backend, conditions in known
        if conditions.get("terminating") and conditions.get("serving") is not False
    }
    return tuple(sorted(ready or ending))


def _entries(each: Object, name: str, protocol: str, node: str) -> list[tuple[Backend, Mapping[str, Any]]]:
    number = next(
        (
            int(port["port"])
            for port in each.get("ports") or []
            if (port.get("name") or "") == name and (port.get("protocol") or "TCP") == protocol and port.get("port")
        ),
        0,
    )
    if not number:
        return []
    return [
        (Backend(entry["addresses"][0], number, entry.get("nodeName") == node), entry.get("conditions") or {})
        for entry in each.get("endpoints") or []
    ]


def _has_address(service: Object) -> bool:
    spec = objects.spec(service)
    address = spec.get("clusterIP") or ""
    return spec.get("type") != "ExternalName" and address not in ("", "None") and ":" not in address


def _outer_ips(service: Object) -> tuple[str, ...]:
    ingress = (objects.status(service).get("loadBalancer") or {}).get("ingress") or []
    known = {str(entry["ip"]) for entry in ingress if entry.get("ip") and entry.get("ipMode") != "Proxy"}
    return tuple(sorted(known | set(objects.spec(service).get("externalIPs") or [])))


def _affinity(spec: Mapping[str, Any]) -> int:
    if spec.get("sessionAffinity") != "ClientIP":
        return 0
    config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    return int(config.get("timeoutSeconds") or DEFAULT_AFFINITY)
