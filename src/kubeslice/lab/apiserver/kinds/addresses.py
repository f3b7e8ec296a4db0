"""Cluster IPs and node ports: which are taken, and giving out free ones. The writing side reserves before it stores.

What is taken is read from the Services themselves, so nothing else needs to be kept over a restart.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

import orjson

from kubeslice.lab.apiserver.interfaces import FieldError, Object
from kubeslice.lab.apiserver.kinds.services import EXPOSED
from kubeslice.lab.apiserver.refusals import invalid
from kubeslice.lab.apiserver.storage.entry import Change

RESOURCE = "/services"
_NODE_PORTS = range(30000, 32768)
_STATIC_BAND_LIMIT = 256


@dataclass(slots=True)
class Reservation:
    """What one write took beyond what its object had before."""

    addresses: set[str] = field(default_factory=set)
    ports: set[tuple[str, int]] = field(default_factory=set)


class Addresses:
    """All cluster IPs and node ports of a cluster; fed with every change of a Service."""

    def __init__(self, network: IPv4Network) -> None:
        self._network = network
        self._addresses: set[str] = set()
        self._ports: set[tuple[str, int]] = set()
        self._next = int(network.network_address) + min(_STATIC_BAND_LIMIT, network.num_addresses // 16)
        self._next_port = _NODE_PORTS.start + 86

    def observe(self, change: Change) -> None:
        """Follow what is stored."""
        if change.key.resource == RESOURCE:
            if change.previous is not None:
                self._addresses -= set(_cluster_ips(change.previous.obj))
                self._ports -= set(_node_ports(change.previous.obj))
            if change.type != "DELETED":
                self.take(change.entry.obj)

    def take(self, service: Object) -> None:
        """Note what a stored Service has."""
        self._addresses |= set(_cluster_ips(service))
        self._ports |= set(_node_ports(service))

    def reserve(self, service: Object, old: Object | None) -> Reservation:
        """Give a Service what it lacks, in place; refuse what others have. Who does not store it then releases."""
        reservation = Reservation()
        try:
            self._reserve_address(service, old, reservation)
            self._reserve_ports(service, old, reservation)
        except BaseException:
            self.release(reservation)
            raise
        return reservation

    def release(self, reservation: Reservation) -> None:
        """Give back what a write that failed had taken."""
        self._addresses -= reservation.addresses
        self._ports -= reservation.ports

    def _reserve_address(self, service: Object, old: Object | None, reservation: Reservation) -> None:
        spec = service["spec"]
        if spec["type"] == "ExternalName":
            return
        address = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or []), "")
        if not address:
            address = self._free_address()
        elif address != "None" and address not in _cluster_ips(old):
            self._check_address(service, address)
        spec["clusterIP"], spec["clusterIPs"] = address, [address]
        if address != "None" and address not in _cluster_ips(old):
            self._addresses.add(address)
            reservation.addresses.add(address)

    def _free_address(self) -> str:
        first, last = int(self._network.network_address) + 1, int(self._network.broadcast_address) - 1
        for _ in range(last - first + 1):
            candidate = str(IPv4Address(self._next))
            self._next = self._next + 1 if self._next < last else first
            if candidate not in self._addresses:
                return candidate
        raise invalid("", "Service", "", [FieldError("spec.clusterIPs", "FieldValueInvalid", "range is full")])

    def _check_address(self, service: Object, address: str) -> None:
        try:
            inside = IPv4Address(address) in self._network
        except ValueError:
            return
        if not inside:
            why = "the provided network does not match the current range"
        elif address in self._addresses:
            why = "provided IP is already allocated"
        else:
            return
        message = f"Invalid value: {orjson.dumps([address]).decode()}: failed to allocate IP {address}: {why}"
        _refuse(service, FieldError("spec.clusterIPs", "FieldValueInvalid", message, [address]))

    def _reserve_ports(self, service: Object, old: Object | None, reservation: Reservation) -> None:
        spec, mine = service["spec"], set(_node_ports(old))
        for index, port in enumerate(spec.get("ports") or []):
            if spec["type"] not in EXPOSED or not _wants_node_port(spec, port):
                port.pop("nodePort", None)
                continue
            wanted = (port.get("protocol", "TCP"), port.get("nodePort") or 0)
            if not wanted[1]:
                wanted = self._free_port(wanted[0])
            elif wanted not in mine:
                self._check_port(service, index, wanted)
            port["nodePort"] = wanted[1]
            if wanted not in mine:
                self._ports.add(wanted)
                reservation.ports.add(wanted)

    def _free_port(self, protocol: str) -> tuple[str, int]:
        for _ in _NODE_PORTS:
            candidate = (protocol, self._next_port)
            self._next_port = self._next_port + 1 if self._next_port + 1 in _NODE_PORTS else _NODE_PORTS.start
            if candidate not in self._ports:
                return candidate
        raise invalid("", "Service", "", [FieldError("spec.ports", "FieldValueInvalid", "range is full")])

    def _check_port(self, service: Object, index: int, wanted: tuple[str, int]) -> None:
        number = wanted[1]
        if number not in _NODE_PORTS:
            limits = f"{_NODE_PORTS.start}-{_NODE_PORTS.stop - 1}"
            why = f"provided port is not in the valid range. The range of valid ports is {limits}"
        elif wanted in self._ports:
            why = "provided port is already allocated"
        else:
            return
        where = f"spec.ports[{index}].nodePort"
        _refuse(service, FieldError(where, "FieldValueInvalid", f"Invalid value: {number}: {why}", number))


def _refuse(service: Object, error: FieldError) -> None:
    raise invalid("", "Service", service["metadata"]["name"], [error])


def _wants_node_port(spec: Object, port: Object) -> bool:
    return bool(port.get("nodePort")) or spec["type"] == "NodePort" or spec.get("allocateLoadBalancerNodePorts", True)


def _cluster_ips(service: Object | None) -> list[str]:
    spec = (service or {}).get("spec", {})
    return [
        address for address in spec.get("clusterIPs") or [spec.get("clusterIP")] if address not in (None, "", "None")
    ]


def _node_ports(service: Object | None) -> Iterator[tuple[str, int]]:
    for port in (service or {}).get("spec", {}).get("ports") or []:
        if port.get("nodePort"):
            yield port.get("protocol", "TCP"), port["nodePort"]
