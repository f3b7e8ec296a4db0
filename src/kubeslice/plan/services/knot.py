"""How a zone is said to Knot DNS: its configuration, a zone file, and the commands of one control transaction.

Pure text, from the manual of Knot DNS 3.2 (knot.conf(5), knotc(8)); `dns` runs the server and hands these over.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from kubeslice.plan.services.zone import NEGATIVE_TTL, TTL, ZONE, Difference, Record

# A control command costs half a millisecond; beyond this many the whole zone as a file is quicker.
LARGEST_TRANSACTION = 100


@dataclass(frozen=True)
class Server:
    """Where a name server keeps its files and what it listens on (`address@port`)."""

    directory: PurePath
    listen: tuple[str, ...]

    @property
    def socket(self) -> PurePath:
        """Return the path of the control socket."""
        return self.directory / "knot.sock"

    @property
    def zone_file(self) -> PurePath:
        """Return the path of the zone file."""
        return self.directory / f"{ZONE}.zone"


def configuration(server: Server) -> str:
    """Return knot.conf: one zone, in memory, loaded from our file and changed through the control socket only."""
    listen = ", ".join(f'"{address}"' for address in server.listen)
    return f"""\
server:
    rundir: "{server.directory}"
    listen: [{listen}]
    udp-workers: 2
    tcp-workers: 1
    background-workers: 1
    version: "none"
    identity: "none"
control:
    listen: "{server.socket}"
    timeout: 5
database:
    storage: "{server.directory}"
log:
  - target: stderr
    any: warning
zone:
  - domain: "{ZONE}."
    storage: "{server.directory}"
    file: "{server.zone_file}"
    zonefile-load: whole
    zonefile-sync: -1
    journal-content: none
    serial-policy: increment
"""


def zone_file(records: Iterable[Record], serial: int, address: str) -> str:
    """Return the master file (RFC 1035, 5) of the zone, whose own name server is at the IPv4 `address`."""
    apex = [
        f"{ZONE}. {TTL} SOA ns.{ZONE}. hostmaster.{ZONE}. {serial} 3600 600 86400 {NEGATIVE_TTL}",
        f"{ZONE}. {TTL} NS ns.{ZONE}.",
        f"ns.{ZONE}. {TTL} A {address}",
    ]
    return "\n".join([*apex, *(_text(record) for record in sorted(records))]) + "\n"


def transaction(change: Difference) -> list[str]:
    """Return the control commands that make `change` visible at once."""
    removed = [f"zone-unset {ZONE}. {_owner(r)} {r.type} {r.data}" for r in sorted(change.removed)]
    added = [f"zone-set {ZONE}. {_text(record)}" for record in sorted(change.added)]
    # Names are added before others go, so that no name that stays is ever without an answer inside the transaction.
    return [f"zone-begin {ZONE}.", *added, *removed, f"zone-commit {ZONE}."]


def abort() -> list[str]:
    """Return the control command that drops a transaction left open; refused when there is none."""
    return [f"zone-abort {ZONE}."]


def reload() -> list[str]:
    """Return the control command that loads the zone file anew."""
    return [f"zone-reload {ZONE}."]


def status() -> list[str]:
    """Return the control command that tells the serial of the loaded zone."""
    return [f"zone-status {ZONE}. +serial"]


def _text(record: Record) -> str:
    return f"{_owner(record)} {record.ttl} {record.type} {record.data}"


def _owner(record: Record) -> str:
    return f"{record.owner}."
