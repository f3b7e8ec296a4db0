"""Reading a namespace back from the kernel as the records of `plan.datapath.network`, through iproute2's JSON output.

Only what can be ours is returned: links of the kinds we make, routes with our protocol number, forwarding entries that
somebody set on purpose. What the kernel keeps for itself (loopback, connected routes, its own MAC entries) is not.
"""

import json
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

from kubeslice.linux.commands import run
from kubeslice.linux.netns import Namespace
from kubeslice.model.names import ROUTE_PROTOCOL
from kubeslice.plan.datapath.network import (
    Address,
    BridgePort,
    Details,
    ForwardingEntry,
    Link,
    Network,
    Record,
    Route,
    Rule,
)

Entry = dict[str, Any]
_UNREACHABLE, _MAIN = "unreachable", "main"


def segment(namespace: Namespace) -> Network:
    """Return links, bridge ports and forwarding entries of the namespace of a segment."""
    links = _records(run(["ip", "-j", "-d", "link", "show"], namespace=namespace))
    entries = _records(run(["bridge", "-j", "fdb", "show"], namespace=namespace))
    return frozenset([*_links(links), *_ports(links), *_forwarding(entries)])


def endpoint(namespace: Namespace | None = None) -> Network:
    """Return links, IPv4 addresses and our routes of a pod's namespace (or the caller's own)."""
    batch = f"link show\naddress show\nroute show table main proto {ROUTE_PROTOCOL}\n"
    links, addresses, routes = _documents(run(["ip", "-j", "-d", "-4", "-batch", "-"], text=batch, namespace=namespace))
    return frozenset([*_links(links), *_addresses(addresses), *_routes(routes)])


def forwarder(namespace: Namespace | None = None) -> Network:
    """Return what `endpoint` returns, and our routes in further tables and our rules that lead there."""
    batch = f"link show\naddress show\nroute show table all proto {ROUTE_PROTOCOL}\nrule show\n"
    documents = _documents(run(["ip", "-j", "-d", "-4", "-batch", "-"], text=batch, namespace=namespace))
    links, addresses, routes, rules = documents
    return frozenset([*_links(links), *_addresses(addresses), *_routes(routes), *_rules(rules)])


def routes(namespace: Namespace | None = None) -> Network:
    """Return our routes of a namespace."""
    command = ["ip", "-j", "-d", "-4", "route", "show", "table", "main", "proto", str(ROUTE_PROTOCOL)]
    return frozenset(_routes(_records(run(command, namespace=namespace))))


def interfaces(namespace: Namespace | None = None) -> list[tuple[int, frozenset[IPv4Address]]]:
    """Return the MTU and the IPv4 addresses of every interface, of whatever kind."""
    entries = _records(run(["ip", "-j", "-4", "address", "show"], namespace=namespace))
    return [(int(entry["mtu"]), frozenset(record.address.ip for record in _addresses([entry]))) for entry in entries]


def only(network: Iterable[Record], devices: Iterable[str]) -> Network:
    """Return the records that belong to these devices; "" stands for routes without one."""
    wanted = set(devices)
    return frozenset(record for record in network if record.device in wanted)


def _records(text: str) -> list[Entry]:
    return [entry for entry in json.loads(text or "[]") if entry]


def _documents(text: str) -> Iterator[list[Entry]]:
    decoder, position = json.JSONDecoder(), 0
    while position < len(text):
        document, position = decoder.raw_decode(text, position)
        yield [entry for entry in document if entry]
        while position < len(text) and text[position].isspace():
            position += 1


def _links(entries: list[Entry]) -> Iterator[Link]:
    for entry in entries:
        info = entry.get("linkinfo") or {}
        kind = str(info.get("info_kind") or "")
        if kind:
            yield Link(
                name=entry["ifname"],
                kind=kind,
                mtu=int(entry["mtu"]),
                mac=str(entry.get("address") or ""),
                alias=str(entry.get("ifalias") or ""),
                master=str(entry.get("master") or ""),
                is_up="UP" in entry["flags"],
                details=_details(kind, info.get("info_data") or {}),
            )


def _details(kind: str, data: Entry) -> Details:
    if kind != "vxlan":
        return ()
    learning = "learning" if data.get("learning") else "nolearning"
    numbers = (("id", str(data["id"])), ("local", str(data.get("local", ""))), ("dstport", str(data["port"])))
    return (*numbers, (learning, ""))


def _ports(entries: list[Entry]) -> Iterator[BridgePort]:
    for entry in entries:
        info = entry.get("linkinfo") or {}
        if info.get("info_slave_kind") == "bridge":
            data = info["info_slave_data"]
            yield BridgePort(entry["ifname"], bool(data["learning"]), bool(data["flood"]))


def _forwarding(entries: list[Entry]) -> Iterator[ForwardingEntry]:
    for entry in entries:
        if "dst" in entry:
            yield ForwardingEntry(entry["ifname"], entry["mac"], IPv4Address(entry["dst"]))
        elif entry.get("state") == "static" and "master" in entry:
            yield ForwardingEntry(entry["ifname"], entry["mac"])


def _addresses(entries: list[Entry]) -> Iterator[Address]:
    for entry in entries:
        for info in entry.get("addr_info") or []:
            if info.get("family") == "inet":
                yield Address(entry["ifname"], IPv4Interface(f"{info['local']}/{info['prefixlen']}"))


def _routes(entries: list[Entry]) -> Iterator[Route]:
    for entry in entries:
        destination = IPv4Network("0.0.0.0/0" if entry["dst"] == "default" else entry["dst"])
        table = 0 if entry.get("table", _MAIN) == _MAIN else int(entry["table"])
        if entry.get("type") == _UNREACHABLE:
            yield Route(destination, table=table)
        elif "dev" in entry:
            gateway = IPv4Address(entry["gateway"]) if "gateway" in entry else None
            mtu = next((int(metric["mtu"]) for metric in entry.get("metrics") or [] if "mtu" in metric), 0)
            yield Route(destination, entry["dev"], gateway, mtu, table)


def _rules(entries: list[Entry]) -> Iterator[Rule]:
    for entry in entries:
        if entry.get("protocol") == str(ROUTE_PROTOCOL):
            yield Rule(entry["iif"], int(entry["table"]))
