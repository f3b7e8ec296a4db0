"""Services and EndpointSlices: ports, addresses, and cluster addresses that stay.

Source: ValidateService of k8s.io/kubernetes/pkg/apis/core/validation and pkg/apis/discovery/validation.
"""

from collections.abc import Iterator

from kubeslice.lab.apiserver.interfaces import FieldError, Object
from kubeslice.lab.apiserver.schema import formats
from kubeslice.lab.apiserver.schema.complaints import (
    child,
    duplicate,
    immutable,
    invalid,
    not_supported,
    required,
    too_many,
)
from kubeslice.lab.apiserver.schema.rules import meta, names
from kubeslice.lab.apiserver.schema.rules.pods import PROTOCOLS

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_AFFINITIES = ("ClientIP", "None")
_POLICIES = ("Cluster", "Local")
_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_MAX_ENDPOINTS = 1000
_KEEPS_ADDRESS = ("ClusterIP", "NodePort", "LoadBalancer")


def check_service(obj: Object, old: Object | None) -> list[FieldError]:
    """Check a Service."""
    spec = obj.get("spec") or {}
    found = list(_check_ports(spec))
    found.extend(meta.check_labels(spec.get("selector") or {}, "spec.selector"))
    for field, allowed in (
        ("type", _TYPES),
        ("sessionAffinity", _AFFINITIES),
        ("internalTrafficPolicy", _POLICIES),
        ("externalTrafficPolicy", _POLICIES),
    ):
        value = spec.get(field)
        if value and value not in allowed:
            found.append(not_supported(f"spec.{field}", value, allowed))
    found.extend(_check_addresses(spec))
    if old is not None:
        found.extend(_check_update(spec, old.get("spec") or {}))
    return found


def _check_ports(spec: Object) -> Iterator[FieldError]:
    ports = spec.get("ports") or []
    if not ports and spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName":
        yield required("spec.ports")
    yield from meta.unique([port.get("name") or "" for port in ports], "spec.ports", "name")
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        path = f"spec.ports[{index}]"
        yield from _check_port(port, path, is_alone=len(ports) == 1)
        identity = (port.get("protocol") or "TCP", port.get("port") or 0)
        if identity in seen:
            yield duplicate(path, {"protocol": identity[0], "port": identity[1]})
        seen.add(identity)


def _check_port(port: Object, path: str, *, is_alone: bool) -> Iterator[FieldError]:
    name = port.get("name") or ""
    if not name and not is_alone:
        yield required(child(path, "name"))
    for why in names.dns_label(name) if name else ():
        yield invalid(child(path, "name"), name, why)
    for why in names.port_number(port.get("port") or 0):
        yield invalid(child(path, "port"), port.get("port") or 0, why)
    protocol = port.get("protocol") or "TCP"
    if protocol not in PROTOCOLS:
        yield not_supported(child(path, "protocol"), protocol, PROTOCOLS)
    yield from check_port_reference(port.get("targetPort"), child(path, "targetPort"))


def check_port_reference(target: int | str | None, path: str) -> Iterator[FieldError]:
    """Check a port given by number or by name."""
    if isinstance(target, int):
        yield from (invalid(path, target, why) for why in names.port_number(target))
    elif isinstance(target, str):
        yield from (invalid(path, target, why) for why in names.port_name(target))


def _check_addresses(spec: Object) -> Iterator[FieldError]:
    if spec.get("type") == "ExternalName":
        external = spec.get("externalName") or ""
        if not external:
            yield required("spec.externalName")
        for why in names.dns_subdomain(external.rstrip(".")) if external else ():
            yield invalid("spec.externalName", external, why)
        return
    for index, address in enumerate(spec.get("clusterIPs") or []):
        if address not in ("", "None") and not _is_address(address):
            yield _bad_address(f"spec.clusterIPs[{index}]", address)
    for index, address in enumerate(spec.get("externalIPs") or []):
        if not _is_address(address):
            yield _bad_address(f"spec.externalIPs[{index}]", address)


def _is_address(text: str) -> bool:
    return formats.is_ipv4(text) or formats.is_ipv6(text)


def _bad_address(path: str, address: str) -> FieldError:
    return invalid(path, address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")


def _check_update(spec: Object, old: Object) -> Iterator[FieldError]:
    if old.get("type") not in _KEEPS_ADDRESS or spec.get("type") not in _KEEPS_ADDRESS:
        return
    before, after = old.get("clusterIP") or "", spec.get("clusterIP") or ""
    if before and after != before:
        yield invalid("spec.clusterIPs[0]", spec.get("clusterIPs") or [after], "may not change once set")


def check_endpoint_slice(obj: Object, old: Object | None) -> list[FieldError]:
    """Check an EndpointSlice."""
    kind = obj.get("addressType") or ""
    found = list(immutable("addressType", kind, old.get("addressType"))) if old is not None else []
    if not kind:
        found.append(required("addressType"))
    elif kind not in _ADDRESS_TYPES:
        found.append(not_supported("addressType", kind, _ADDRESS_TYPES))
    endpoints = obj.get("endpoints") or []
    if len(endpoints) > _MAX_ENDPOINTS:
        found.append(too_many("endpoints", len(endpoints), _MAX_ENDPOINTS))
    for index, endpoint in enumerate(endpoints):
        found.extend(_check_endpoint(endpoint, f"endpoints[{index}]", kind))
    for index, port in enumerate(obj.get("ports") or []):
        protocol = port.get("protocol") or "TCP"
        if protocol not in PROTOCOLS:
            found.append(not_supported(f"ports[{index}].protocol", protocol, PROTOCOLS))
    return found


def _check_endpoint(endpoint: Object, path: str, kind: str) -> Iterator[FieldError]:
    addresses = endpoint.get("addresses") or []
    if not addresses:
        yield required(child(path, "addresses"), "must contain at least 1 address")
    for index, address in enumerate(addresses):
        where = f"{path}.addresses[{index}]"
        if kind == "IPv4" and not formats.is_ipv4(address):
            yield invalid(where, address, "must be a valid IPv4 address")
        if kind == "IPv6" and not formats.is_ipv6(address):
            yield invalid(where, address, "must be a valid IPv6 address")
