"""What KubeSlice DNS answers: the zone of a cluster as a set of records, and the difference between two zones.

`dns` feeds imported services in and gives the difference to the name server; the operator uses `alias_complaints` to
say on the object which alias cannot be served. Names are absolute, lower case and without the final dot.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

ZONE = "slice.local"
TTL = 5
# Names that do not exist may exist in a moment (an export takes half a second), so nobody shall remember their absence.
NEGATIVE_TTL = 0

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9_]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Endpoint:
    """One pod behind a service."""

    pod: str
    cluster: str
    address: str


@dataclass(frozen=True)
class Service:
    """An imported service as DNS sees it. `since` orders services that claim the same alias: the oldest keeps it."""

    namespace: str
    name: str
    endpoints: frozenset[Endpoint]
    aliases: tuple[str, ...] = ()
    since: str = ""


@dataclass(frozen=True, order=True)
class Record:
    """One resource record; `type` is A, the only one in this zone besides its own SOA and NS."""

    owner: str
    data: str
    type: str = "A"
    ttl: int = TTL


@dataclass(frozen=True)
class Difference:
    """Records to take out of a zone and records to put in."""

    removed: frozenset[Record]
    added: frozenset[Record]

    def __bool__(self) -> bool:
        return bool(self.removed or self.added)

    def __len__(self) -> int:
        return len(self.removed) + len(self.added)


def service_name(name: str, namespace: str) -> str:
    """Return the name under which a service answers with all its pods."""
    return f"{name}.{namespace}.svc.{ZONE}"


def pod_name(endpoint: Endpoint, name: str, namespace: str) -> str:
    """Return the name under which one pod of a service answers."""
    return f"{endpoint.pod}.{endpoint.cluster}.{service_name(name, namespace)}"


def is_host_name(name: str) -> bool:
    """Tell whether every label and the whole are names that a resolver asks for (RFC 1123, RFC 1035 limits)."""
    return len(name) <= 253 and all(_LABEL.fullmatch(label) for label in name.split("."))


def render(services: Iterable[Service]) -> frozenset[Record]:
    """Return all records of the zone. Names and addresses that are none are left out; the order does not matter."""
    known = list(services)
    own = {record for service in known for record in _own_records(service)}
    owners = alias_owners(known)
    aliased = {Record(alias, address) for alias, service in owners.items() for address in _addresses(service)}
    return frozenset(own | aliased)


def difference(before: frozenset[Record], after: frozenset[Record]) -> Difference:
    """Return what turns `before` into `after`."""
    return Difference(removed=before - after, added=after - before)


def apply(records: frozenset[Record], change: Difference) -> frozenset[Record]:
    """Return `records` after `change`."""
    return (records - change.removed) | change.added


def alias_owners(services: Iterable[Service]) -> Mapping[str, Service]:
    """Return which service answers for each alias: the oldest claim wins, a service's own name always does."""
    known = sorted(services, key=lambda service: (service.since, service.namespace, service.name))
    own = {service_name(service.name, service.namespace) for service in known}
    owners: dict[str, Service] = {}
    for service in known:
        for alias in map(_normal, service.aliases):
            if not alias_complaint(alias) and alias not in own:
                owners.setdefault(alias, service)
    return owners


def alias_complaints(service: Service, services: Iterable[Service]) -> list[str]:
    """Return a sentence for each alias of `service` that will not resolve, beside what else `services` claim."""
    owners = alias_owners({service, *services})
    sentences = []
    for alias in map(_normal, service.aliases):
        complaint = alias_complaint(alias)
        owner = owners.get(alias)
        if complaint:
            sentences.append(complaint)
        elif owner is None:
            sentences.append(f"alias {alias} is the own name of a service: choose another")
        elif (owner.namespace, owner.name) != (service.namespace, service.name):
            sentences.append(f"alias {alias} already belongs to {owner.namespace}/{owner.name}: choose another")
    return sentences


def alias_complaint(alias: str) -> str:
    """Return why an alias cannot be served by this zone whoever claims it, or nothing."""
    name = _normal(alias)
    if not is_host_name(name):
        return f"alias {alias} is not a host name: use letters, digits, hyphens and dots"
    if not name.endswith(f".{ZONE}"):
        return f"alias {alias} lies outside the zone {ZONE} and is not served: end it with .{ZONE}"
    return ""


def _own_records(service: Service) -> Iterator[Record]:
    name = service_name(service.name, service.namespace)
    if not is_host_name(name):
        return
    for address in _addresses(service):
        yield Record(name, address)
    for endpoint in service.endpoints:
        single = pod_name(endpoint, service.name, service.namespace)
        if is_host_name(single) and _is_address(endpoint.address):
            yield Record(single, endpoint.address)


def _addresses(service: Service) -> set[str]:
    return {endpoint.address for endpoint in service.endpoints if _is_address(endpoint.address)}


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True


def _normal(name: str) -> str:
    return name.rstrip(".").lower()
