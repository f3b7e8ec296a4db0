"""What the kernel knows about the way to an address: the interface, its MTU, and a smaller one that a router named."""

import json
from dataclasses import dataclass
from pathlib import Path

from kubeslice.linux.commands import run


@dataclass(frozen=True)
class Learned:
    """The way to an address. `mtu` is that of the interface, `told` the path's as far as somebody said, else 0."""

    device: str
    mtu: int
    told: int


def look(address: str) -> Learned:
    """Return what is known about the way to an address. Raises `CommandFailed` when there is none."""
    (entry,) = json.loads(run(["ip", "-j", "route", "get", address]))
    told = next((int(metric["mtu"]) for metric in entry.get("metrics") or [] if "mtu" in metric), 0)
    own = int(Path("/sys/class/net", entry["dev"], "mtu").read_text())
    return Learned(entry["dev"], own, told)


def forget() -> None:
    """Forget all that routers said: the kernel would believe it for ten minutes."""
    run(["ip", "route", "flush", "cache"])
