"""Carrying out the changes that `plan.datapath.network` lists, with one `ip -batch` and one `bridge -batch` at most.

`lines` is pure and says which lines each program gets; `apply` runs them in the namespace.
"""

from collections.abc import Sequence
from typing import Literal

from kubeslice.linux.commands import run
from kubeslice.linux.netns import Namespace
from kubeslice.model.names import ROUTE_PROTOCOL
from kubeslice.plan.datapath.network import (
    BROADCAST,
    Address,
    BridgePort,
    Change,
    ForwardingEntry,
    Link,
    Put,
    Record,
    Route,
    Rule,
)

RULE_PRIORITY = 75

Program = Literal["ip", "bridge"]
Line = tuple[Program, str]


def apply(changes: Sequence[Change], namespace: Namespace | None = None) -> None:
    """Make the changes in their order. Raises `CommandFailed` at the first that the kernel refuses."""
    pending: list[str] = []
    program: Program = "ip"
    for owner, line in lines(changes):
        if owner != program:
            _flush(program, pending, namespace)
            program, pending = owner, []
        pending.append(line)
    _flush(program, pending, namespace)


def lines(changes: Sequence[Change]) -> list[Line]:
    """Return the batch lines for the changes, each with the program that understands it."""
    return [line for change in changes for line in _lines(change)]


def _lines(change: Change) -> list[Line]:
    return _put(change) if isinstance(change, Put) else _remove(change.record)


def _flush(program: Program, pending: list[str], namespace: Namespace | None) -> None:
    if pending:
        run([program, "-batch", "-"], text="".join(f"{line}\n" for line in pending), namespace=namespace)


def _put(change: Put) -> list[Line]:
    match change.record:
        case Link() as link:
            old = change.old if isinstance(change.old, Link) else None
            return [("ip", line) for line in _link(link, old)]
        case BridgePort(device, learning, flood):
            flags = f"learning {_switch(learning)} flood {_switch(flood)}"
            return [("ip", f"link set dev {device} type bridge_slave {flags}")]
        case Address(device, address):
            return [("ip", f"address replace {address} dev {device}")]
        case Route() as route:
            return [("ip", f"route replace {_path(route)}")]
        case Rule() as rule:
            return [("ip", f"rule add {_rule(rule)}")]
        case ForwardingEntry() as entry:
            verb = "append" if entry.destination is not None and entry.mac == BROADCAST else "replace"
            return [("bridge", f"fdb {verb} {_entry(entry)}")]


def _remove(record: Record) -> list[Line]:
    match record:
        case Link(name):
            return [("ip", f"link delete dev {name}")]
        case BridgePort():
            return []  # goes with the link, or with its master
        case Address(device, address):
            return [("ip", f"address delete {address} dev {device}")]
        case Route() as route:
            return [("ip", f"route delete {_path(route)}")]
        case Rule() as rule:
            return [("ip", f"rule delete {_rule(rule)}")]
        case ForwardingEntry() as entry:
            return [("bridge", f"fdb delete {_entry(entry)}")]


def _link(link: Link, old: Link | None) -> list[str]:
    if old is None:
        made = [f"link add name {link.name} {_hardware(link)}mtu {link.mtu} type {link.kind} {_options(link)}".rstrip()]
        old = Link(link.name, link.kind, link.mtu, link.mac, is_up=False, details=link.details)
    else:
        made = []
    return made + _adjustments(link, old)


def _adjustments(link: Link, old: Link) -> list[str]:
    wishes = (
        (old.mtu != link.mtu, f"mtu {link.mtu}"),
        (bool(link.mac) and old.mac != link.mac, f"address {link.mac}"),
        (old.alias != link.alias, f'alias "{link.alias}"'),
        (old.master != link.master, f"master {link.master}" if link.master else "nomaster"),
        (old.is_up != link.is_up, "up" if link.is_up else "down"),
    )
    return [f"link set dev {link.name} {words}" for is_needed, words in wishes if is_needed]


def _hardware(link: Link) -> str:
    return f"address {link.mac} " if link.mac else ""


def _options(link: Link) -> str:
    fixed = {"bridge": "mcast_snooping 0 "}.get(link.kind, "")
    return fixed + " ".join(f"{name} {value}".rstrip() for name, value in link.details)


def _path(route: Route) -> str:
    table = f" table {route.table}" if route.table else ""
    if not route.device:
        return f"unreachable {route.destination} proto {ROUTE_PROTOCOL}{table}"
    via = f" via {route.gateway}" if route.gateway is not None else ""
    mtu = f" mtu {route.mtu}" if route.mtu else ""
    return f"{route.destination}{via} dev {route.device} proto {ROUTE_PROTOCOL}{table}{mtu}"


def _rule(rule: Rule) -> str:
    return f"iif {rule.incoming} lookup {rule.table} priority {RULE_PRIORITY} protocol {ROUTE_PROTOCOL}"


def _entry(entry: ForwardingEntry) -> str:
    if entry.destination is None:
        return f"{entry.mac} dev {entry.device} master static"
    return f"{entry.mac} dev {entry.device} dst {entry.destination} self permanent"


def _switch(value: bool) -> str:
    return "on" if value else "off"
