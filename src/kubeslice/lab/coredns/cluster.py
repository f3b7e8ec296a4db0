"""What the names of a cluster mean: Services, headless endpoints, pods, reverse names. Pure, over a `View` of the API.

Source: the DNS-based service discovery specification (github.com/kubernetes/dns) and CoreDNS' kubernetes plugin.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Any, Protocol

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.lab.coredns.configuration import Kubernetes, is_below

SCHEMA_VERSION = "1.1.0"
REVERSE = "in-addr.arpa"


class View(Protocol):
    """What the API says now."""

    def service(self, name: str, namespace: str) -> Object | None:
        """Return a Service."""

    def slices(self, name: str, namespace: str) -> Sequence[Object]:
        """Return the EndpointSlices of a Service."""

    def has_namespace(self, name: str) -> bool:
        """Tell whether the namespace exists."""

    def services_at(self, address: str) -> Sequence[Object]:
        """Return the Services with that cluster address."""

    def slices_at(self, address: str) -> Sequence[Object]:
        """Return the EndpointSlices that hold that address."""


@dataclass(frozen=True)
class Record:
    """One resource record: `data` is an address, a name, a text, or (priority, weight, port, target) for SRV."""

    name: str
    type: str
    data: Any


@dataclass(frozen=True)
class Finding:
    """What is known of a name: whether it exists, its records of the asked type, and helpful other ones."""

    exists: bool
    records: tuple[Record, ...] = ()
    extra: tuple[Record, ...] = ()


@dataclass(frozen=True)
class _Target:
    host: str
    address: str
    ports: tuple[tuple[str, str, int], ...]


UNKNOWN = Finding(exists=False)
EMPTY = Finding(exists=True)


def zone_of(name: str, config: Kubernetes) -> str | None:
    """Return the longest configured zone that holds the name."""
    zones = [zone for zone in config.zones if is_below(name, zone)]
    return max(zones, key=len, default=None)


def find(view: View, config: Kubernetes, zone: str, name: str, kind: str) -> Finding:
    """Look up a normalized name in one of the plugin's zones; `kind` is A, AAAA, SRV, PTR, TXT, ..."""
    if is_below(zone, "arpa"):
        return _reverse(view, config, name, kind)
    labels = name.removesuffix(zone).rstrip(".").split(".") if name != zone else []
    match labels:
        case []:
            return _apex(zone, name, kind)
        case ["dns-version"]:
            return _only(kind, "TXT", [Record(name, "TXT", SCHEMA_VERSION)])
        case ["dns"] | ["ns", "dns"] | ["svc"] | ["pod"]:
            return EMPTY
    return _inside(view, config, zone, name, kind, labels)


def _inside(view: View, config: Kubernetes, zone: str, name: str, kind: str, labels: list[str]) -> Finding:
    match labels:
        case [namespace, "svc" | "pod"]:
            return EMPTY if view.has_namespace(namespace) else UNKNOWN
        case [host, namespace, "pod"]:
            return _pod(view, config, name, kind, host, namespace)
        case [*parts, service, namespace, "svc"] if len(parts) <= 2:
            return _service(view, zone, name, kind, parts, service, namespace)
    return UNKNOWN


def _apex(zone: str, name: str, kind: str) -> Finding:
    return _only(kind, "NS", [Record(name, "NS", f"ns.dns.{zone}")])


def _pod(view: View, config: Kubernetes, name: str, kind: str, host: str, namespace: str) -> Finding:
    if config.pods == "disabled" or not view.has_namespace(namespace):
        return UNKNOWN
    try:
        address = str(IPv4Address(host.replace("-", ".")))
    except AddressValueError:
        return UNKNOWN
    return _only(kind, "A", [Record(name, "A", address)])


def _service(view: View, zone: str, name: str, kind: str, parts: list[str], service: str, namespace: str) -> Finding:
    known = view.service(service, namespace)
    if known is None:
        return UNKNOWN
    spec = objects.spec(known)
    base = f"{service}.{namespace}.svc.{zone}"
    if spec.get("type") == "ExternalName":
        return Finding(exists=True, records=(Record(name, "CNAME", str(spec["externalName"]).rstrip(".").lower()),))
    targets = list(_targets(view, known, base, parts))
    if len(parts) == 2:
        wanted = [part.removeprefix("_") for part in parts]
        targets = [_with_port(target, wanted) for target in targets]
        targets = [target for target in targets if target.ports]
    if not targets:
        return UNKNOWN
    if kind == "A":
        return Finding(exists=True, records=tuple({Record(name, "A", target.address): None for target in targets}))
    return _services(name, targets) if kind == "SRV" else EMPTY


def _targets(view: View, service: Object, base: str, parts: list[str]) -> Iterator[_Target]:
    spec = objects.spec(service)
    address = spec.get("clusterIP") or ""
    if address != "None" and len(parts) != 1:
        listed = spec.get("ports") or []
        ports = tuple((str(each.get("name") or ""), _protocol(each), int(each["port"])) for each in listed)
        yield _Target(base, address, ports)
        return
    for each in view.slices(objects.name(service), objects.namespace(service)):
        listed = each.get("ports") or []
        ports = tuple((str(port.get("name") or ""), _protocol(port), int(port["port"])) for port in listed)
        for endpoint in _ready(each):
            host = _host(endpoint)
            if len(parts) != 1 or parts == [host]:
                yield _Target(f"{host}.{base}", endpoint["addresses"][0], ports)


def _with_port(target: _Target, wanted: list[str]) -> _Target:
    return _Target(target.host, target.address, tuple(port for port in target.ports if [port[0], port[1]] == wanted))


def _services(name: str, targets: Sequence[_Target]) -> Finding:
    pairs = [(target, port) for target in targets for port in target.ports]
    weight = max(1, 100 // max(1, len(pairs)))
    records = tuple(Record(name, "SRV", (0, weight, port[2], target.host)) for target, port in pairs)
    extra = {Record(target.host, "A", target.address): None for target, _ in pairs}
    return Finding(exists=True, records=records, extra=tuple(extra))


def _reverse(view: View, config: Kubernetes, name: str, kind: str) -> Finding:
    parts = name.removesuffix(REVERSE).rstrip(".").split(".")
    zone = next((zone for zone in config.zones if not is_below(zone, "arpa")), "")
    if len(parts) != 4 or not zone:
        return UNKNOWN
    address = ".".join(reversed(parts))
    names = list(_names_at(view, address, zone))
    return _only(kind, "PTR", [Record(name, "PTR", each) for each in names]) if names else UNKNOWN


def _names_at(view: View, address: str, zone: str) -> Iterable[str]:
    services = view.services_at(address)
    if services:
        return [f"{objects.name(each)}.{objects.namespace(each)}.svc.{zone}" for each in services]
    found = {
        f"{_host(endpoint)}.{objects.labels(each)['kubernetes.io/service-name']}.{objects.namespace(each)}.svc.{zone}"
        for each in view.slices_at(address)
        for endpoint in each.get("endpoints") or []
        if address in endpoint["addresses"]
    }
    return sorted(found)


def _only(kind: str, offered: str, records: Sequence[Record]) -> Finding:
    return Finding(exists=True, records=tuple(records) if kind == offered else ())


def _ready(each: Object) -> list[dict[str, Any]]:
    endpoints = each.get("endpoints") or []
    return [entry for entry in endpoints if (entry.get("conditions") or {}).get("ready") is not False]


def _host(endpoint: dict[str, Any]) -> str:
    return str(endpoint.get("hostname") or endpoint["addresses"][0].replace(".", "-"))


def _protocol(port: dict[str, Any]) -> str:
    return str(port.get("protocol") or "TCP").lower()
