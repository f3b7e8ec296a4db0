"""Answers on the LAN for the addresses of load balancers: one node holds each, elected alike by all nodes' proxies.

An address belongs to a ready node, one with a ready backend of the Service first, and moves when that changes; the new
holder tells the LAN by gratuitous ARP. The address is on `lo`, for which the kernel answers ARP on every link.
"""

import asyncio
import hashlib
import json
import logging
import socket
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.lab import execution
from kubeslice.lab.proxy.frontends import SERVICE_NAME

log = logging.getLogger(__name__)

UPLINK = "eth0"
ARP = 0x0806


def held(services: Iterable[Object], slices: Sequence[Object], nodes: Iterable[Object], node: str) -> set[str]:
    """Return the load balancers' addresses that `node` has to answer for."""
    ready = sorted(objects.name(each) for each in nodes if objects.is_true(each, "Ready"))
    found = {}
    for service in services:
        near = _backing(service, slices)
        for address in addresses(service):
            candidates = [each for each in ready if each in near] or ready
            found[address] = min(candidates, key=lambda each: _rank(address, each), default="")
    return {address for address, holder in found.items() if holder == node}


def addresses(service: Object) -> list[str]:
    """Return the addresses that a load balancer gave the Service."""
    ingress = (objects.status(service).get("loadBalancer") or {}).get("ingress") or []
    return [str(entry["ip"]) for entry in ingress if entry.get("ip")]


def _backing(service: Object, slices: Iterable[Object]) -> set[str]:
    """Return the nodes with a backend of the Service that takes traffic."""
    mine = [
        each
        for each in slices
        if objects.namespace(each) == objects.namespace(service)
        and objects.labels(each).get(SERVICE_NAME) == objects.name(service)
    ]
    entries = [entry for each in mine for entry in each.get("endpoints") or []]
    return {entry.get("nodeName") for entry in entries if (entry.get("conditions") or {}).get("ready") is not False}


def _rank(address: str, node: str) -> str:
    return hashlib.sha256(f"{address} {node}".encode()).hexdigest()


class Speaker:
    """Keeps the addresses of one node; `pool` are those that could be a load balancer's."""

    def __init__(self, pool: Collection[str]) -> None:
        self._pool = frozenset(pool)
        self._held: set[str] | None = None

    async def sync(self, wanted: set[str]) -> None:
        """Hold these addresses and no others. Raises `CommandFailed`, OSError."""
        if wanted != self._held:
            await asyncio.to_thread(self._hold, wanted & self._pool)
            self._held = wanted

    def _hold(self, wanted: set[str]) -> None:
        present = _present() & self._pool
        lines = [f"addr del {address}/32 dev lo" for address in sorted(present - wanted)]
        lines += [f"addr add {address}/32 dev lo" for address in sorted(wanted - present)]
        if lines:
            execution.ip_batch(lines)
        for address in sorted(wanted - present):
            announce(address, UPLINK)
            log.info("answers for %s", address)


def _present() -> set[str]:
    links = json.loads(execution.run(["ip", "-j", "-4", "addr", "show", "dev", "lo"]))
    return {entry["local"] for link in links for entry in link.get("addr_info") or []}


def announce(address: str, device: str) -> None:
    """Tell a LAN who has an address now (gratuitous ARP, RFC 5227)."""
    mac = bytes.fromhex(Path(f"/sys/class/net/{device}/address").read_text().strip().replace(":", ""))
    everybody, sender = b"\xff" * 6, mac + socket.inet_aton(address)
    body = b"\0\1\x08\0\6\4\0\1" + sender + b"\0" * 6 + socket.inet_aton(address)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as packet:
        packet.bind((device, ARP))
        packet.send(everybody + mac + ARP.to_bytes(2) + body)
