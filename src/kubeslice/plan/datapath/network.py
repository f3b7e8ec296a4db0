"""What a network namespace holds, as sets of frozen records, and the difference between two such sets.

Planners of segments, attachments and routes produce records, `linux.observation` reads the same records back from the
kernel, and `difference` says what to change. Each record has the key by which the kernel tells it from its like, so
that a changed route is one replacement and never a moment without a route.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

Key = tuple[Any, ...]
Details = tuple[tuple[str, str], ...]
BROADCAST = "00:00:00:00:00:00"


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface. `details` are what is fixed when it is created; a wanted `mac` of "" means any."""

    name: str
    kind: str
    mtu: int
    mac: str = ""
    alias: str = ""
    master: str = ""
    is_up: bool = True
    details: Details = ()

    @property
    def key(self) -> Key:
        """Return what the kernel knows it by."""
        return ("link", self.name)

    @property
    def device(self) -> str:
        """Return the interface it belongs to: itself."""
        return self.name

    def is_same_device(self, other: "Link") -> bool:
        """Tell whether one can become the other without being created anew."""
        return (self.kind, self.details) == (other.kind, other.details)


@dataclass(frozen=True, slots=True)
class BridgePort:
    """How a bridge treats one of its ports."""

    device: str
    learning: bool
    flood: bool

    @property
    def key(self) -> Key:
        """Return what the kernel knows it by."""
        return ("port", self.device)


@dataclass(frozen=True, slots=True)
class Address:
    """An IPv4 address of an interface."""

    device: str
    address: IPv4Interface

    @property
    def key(self) -> Key:
        """Return what the kernel knows it by."""
        return ("address", self.device, self.address)


@dataclass(frozen=True, slots=True)
class Route:
    """A route of ours; `table` 0 is the main one. Without a device it is unreachable: refused, not leaked."""

    destination: IPv4Network
    device: str = ""
    gateway: IPv4Address | None = None
    mtu: int = 0
    table: int = 0

    @property
    def key(self) -> Key:
        """Return what the kernel knows it by."""
        return ("route", self.table, self.destination)


@dataclass(frozen=True, slots=True)
class Rule:
    """Sends what arrives at the interface `incoming` to a table of its own. It outlives the interface."""

    incoming: str
    table: int

    @property
    def key(self) -> Key:
        """Return what the kernel knows it by."""
        return ("rule", self.incoming, self.table)

    @property
    def device(self) -> str:
        """Return the interface it belongs to: none."""
        return ""


@dataclass(frozen=True, slots=True)
class ForwardingEntry:
    """Where frames to a MAC address go: a bridge port (no destination) or the VXLAN peer `destination`."""

    device: str
    mac: str
    destination: IPv4Address | None = None

    @property
    def key(self) -> Key:
        """Return what the kernel knows it by: the broadcast address may have many destinations."""
        scope = "master" if self.destination is None else "self"
        if scope == "master":
            return ("forwarding", scope, self.mac)
        return ("forwarding", scope, self.device, self.mac, self.destination if self.mac == BROADCAST else None)


Record = Link | BridgePort | Address | Route | Rule | ForwardingEntry
Network = frozenset[Record]
_ORDER: tuple[type, ...] = (Link, BridgePort, Address, Route, Rule, ForwardingEntry)


@dataclass(frozen=True, slots=True)
class Put:
    """Create a record, or replace `old`, which has the same key."""

    record: Record
    old: Record | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """Take a record away."""

    record: Record


Change = Put | Remove


def difference(seen: Iterable[Record], wanted: Iterable[Record]) -> tuple[Change, ...]:
    """Return the changes that turn `seen` into `wanted`, in the order in which they must be made.

    Devices that cannot become what is wanted go first, and everything on them goes with them. Then all additions and
    replacements, links before what is on them; removals last, in the opposite order.
    """
    before = {record.key: record for record in seen}
    after = {record.key: record for record in wanted}
    reborn = [old for key, old in before.items() if _must_be_reborn(old, after.get(key))]
    lost = {old.device for old in reborn}
    before = {key: record for key, record in before.items() if record.device not in lost}
    gone = {record.device for record in before.values() if isinstance(record, Link)} - {
        record.device for record in after.values() if isinstance(record, Link)
    }
    puts = [Put(record, before.get(key)) for key, record in after.items() if not _is_met(before.get(key), record)]
    removals = [record for key, record in before.items() if key not in after and not _goes_with(record, gone)]
    return (
        *(Remove(record) for record in sorted(reborn, key=_rank)),
        *sorted(puts, key=lambda put: _rank(put.record)),
        *(Remove(record) for record in sorted(removals, key=_rank, reverse=True)),
    )


def _is_met(old: Record | None, new: Record) -> bool:
    """Tell whether nothing is left to do; a link that is wanted without a MAC address keeps the one it has."""
    if isinstance(old, Link) and isinstance(new, Link) and not new.mac:
        new = replace(new, mac=old.mac)
    return old == new


def _must_be_reborn(old: Record, new: Record | None) -> bool:
    return isinstance(old, Link) and isinstance(new, Link) and not new.is_same_device(old)


def _goes_with(record: Record, devices: set[str]) -> bool:
    """Tell whether the kernel removes a record by itself when these devices go."""
    return not isinstance(record, Link) and record.device in devices


def _rank(record: Record) -> tuple[int, bool, str]:
    # A bridge must exist before its ports name it as their master.
    has_master = isinstance(record, Link) and bool(record.master)
    return (_ORDER.index(type(record)), has_master, repr(record.key))
