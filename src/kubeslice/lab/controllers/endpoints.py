"""Where a Service's traffic goes: EndpointSlices and the older Endpoints, from the Service and its pods. Pure.

Source: k8s.io/endpointslice and pkg/controller/endpoint.
"""

from collections.abc import Sequence
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.lab.controllers import pods, templates

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
HEADLESS = "service.kubernetes.io/headless"
MAX_ENDPOINTS = 100

Ports = tuple[tuple[str, str, int, str], ...]


def has_endpoints(service: Object) -> bool:
    """Tell whether pods back the Service: it has a selector and is no alias."""
    spec = objects.spec(service)
    return bool(spec.get("selector")) and spec.get("type") != "ExternalName"


def selects(service: Object, pod: Object) -> bool:
    """Tell whether the Service's selector matches the pod's labels."""
    labels = objects.labels(pod)
    return has_endpoints(service) and all(
        labels.get(key) == value for key, value in objects.spec(service)["selector"].items()
    )


def slices(service: Object, candidates: Sequence[Object]) -> list[Object]:
    """Return the EndpointSlices of a Service; their names are stable, so that changes are updates."""
    if not has_endpoints(service) or objects.is_deleting(service):
        return []
    groups = _by_ports(service, candidates) or {(): []}
    made = []
    for group, (resolved, backends) in enumerate(sorted(groups.items(), key=lambda item: item[0])):
        for start in range(0, len(backends) or 1, MAX_ENDPOINTS):
            suffix = templates.fingerprint([group, start])[:5]
            chunk = backends[start : start + MAX_ENDPOINTS]
            made.append(_slice(service, f"{objects.name(service)}-{suffix}", resolved, chunk))
    return made


def endpoints(service: Object, candidates: Sequence[Object]) -> Object | None:
    """Return the Endpoints object of a Service, for clients that do not read slices."""
    if not has_endpoints(service) or objects.is_deleting(service):
        return None
    subsets = [
        _subset(service, resolved, backends) for resolved, backends in sorted(_by_ports(service, candidates).items())
    ]
    labels = dict(objects.labels(service)) | ({HEADLESS: ""} if _is_headless(service) else {})
    metadata = {"name": objects.name(service), "namespace": objects.namespace(service), "labels": labels}
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": metadata,
        "subsets": [each for each in subsets if each],
    }


def endpoint(service: Object, pod: Object) -> dict[str, Any]:
    """Return one pod as an endpoint: it is ready when it serves and is not going, or when nobody cares."""
    serving, terminating = pods.is_ready(pod), objects.is_deleting(pod)
    made: dict[str, Any] = {
        "addresses": [pods.address(pod)],
        "conditions": {
            "ready": _publishes_all(service) or (serving and not terminating),
            "serving": serving,
            "terminating": terminating,
        },
        "nodeName": pods.node(pod),
        "targetRef": _target(pod),
    }
    if hostname := _hostname(service, pod):
        made["hostname"] = hostname
    return made


def ports(service: Object, pod: Object) -> Ports:
    """Return the Service's ports as this pod has them: (name, protocol, number, application protocol)."""
    found = []
    for port in objects.spec(service).get("ports") or []:
        number = _number(port, pod)
        if number:
            protocol = str(port.get("protocol") or "TCP")
            found.append((str(port.get("name") or ""), protocol, number, str(port.get("appProtocol") or "")))
    return tuple(found)


def _by_ports(service: Object, candidates: Sequence[Object]) -> dict[Ports, list[Object]]:
    found: dict[Ports, list[Object]] = {}
    for pod in sorted(candidates, key=objects.name):
        if selects(service, pod) and pods.address(pod) and not pods.has_ended(pod):
            found.setdefault(ports(service, pod), []).append(pod)
    return found


def _slice(service: Object, name: str, resolved: Ports, backends: Sequence[Object]) -> Object:
    labels = {**objects.labels(service), SERVICE_NAME: objects.name(service), MANAGED_BY: MANAGER}
    if _is_headless(service):
        labels[HEADLESS] = ""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": name,
            "namespace": objects.namespace(service),
            "labels": labels,
            "ownerReferences": [templates.controller_reference(service)],
        },
        "addressType": "IPv4",
        "endpoints": [endpoint(service, pod) for pod in backends],
        "ports": [_slice_port(port) for port in resolved],
    }


def _slice_port(port: tuple[str, str, int, str]) -> dict[str, Any]:
    name, protocol, number, application = port
    made: dict[str, Any] = {"name": name, "protocol": protocol, "port": number}
    return made | {"appProtocol": application} if application else made


def _subset(service: Object, resolved: Ports, backends: Sequence[Object]) -> dict[str, Any]:
    made: dict[str, Any] = {"addresses": [], "notReadyAddresses": []}
    for pod in sorted(backends, key=pods.address):
        if objects.is_deleting(pod) and not _publishes_all(service):
            continue
        key = "addresses" if pods.is_ready(pod) or _publishes_all(service) else "notReadyAddresses"
        entry = {"ip": pods.address(pod), "nodeName": pods.node(pod), "targetRef": _target(pod)}
        hostname = _hostname(service, pod)
        made[key].append(entry | {"hostname": hostname} if hostname else entry)
    present = {key: value for key, value in made.items() if value}
    if not present:
        return {}
    return present | {"ports": [_subset_port(port) for port in resolved]}


def _subset_port(port: tuple[str, str, int, str]) -> dict[str, Any]:
    made = _slice_port(port)
    return made if made["name"] else {key: value for key, value in made.items() if key != "name"}


def _target(pod: Object) -> dict[str, str]:
    return {"kind": "Pod", "namespace": objects.namespace(pod), "name": objects.name(pod), "uid": objects.uid(pod)}


def _number(port: dict[str, Any], pod: Object) -> int:
    wanted = port.get("targetPort") or port["port"]
    if isinstance(wanted, int) or wanted.isdecimal():
        return int(wanted)
    spec, protocol = objects.spec(pod), port.get("protocol") or "TCP"
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        for offered in container.get("ports") or []:
            if offered.get("name") == wanted and (offered.get("protocol") or "TCP") == protocol:
                return int(offered["containerPort"])
    return 0


def _hostname(service: Object, pod: Object) -> str:
    spec = objects.spec(pod)
    is_member = spec.get("subdomain") == objects.name(service)
    return str(spec.get("hostname") or "") if is_member else ""


def _is_headless(service: Object) -> bool:
    return objects.spec(service).get("clusterIP") == "None"


def _publishes_all(service: Object) -> bool:
    return bool(objects.spec(service).get("publishNotReadyAddresses"))
