"""Processor time of programs, as the kernel accounts it: what a tunnel costs beside what it carries."""

import os
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from kubeslice.stage.probes import Run

TICKS = os.sysconf("SC_CLK_TCK")
UTIME, STIME = 13, 14
Find = Callable[[], Awaitable[list[int]]]


@dataclass(frozen=True)
class Spent:
    """Processor time of some programs at a moment, in seconds, by pid."""

    seconds: dict[int, float]

    def since(self, before: "Spent") -> float | None:
        """Return what those programs spent since then that ran already; None when there are none."""
        known = [pid for pid in self.seconds if pid in before.seconds]
        return sum(self.seconds[pid] - before.seconds[pid] for pid in known) if known else None


def spent(pids: Iterable[int]) -> Spent:
    """Return what programs have spent so far, in user space and in the kernel on their behalf."""
    return Spent({pid: seconds for pid in pids if (seconds := _seconds(pid)) is not None})


async def in_networks(places: Collection[Run], program: str) -> list[int]:
    """Return the pids of a program that runs in the network of one of these places."""
    networks = {(await run(["readlink", "/proc/self/ns/net"])).stdout.decode().strip() for run in places}
    return [pid for pid in _pids() if _name(pid) == program and _network(pid) in networks]


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _seconds(pid: int) -> float | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # ended meanwhile
        return None
    # The list after the name begins with the third field (proc(5)).
    return (int(fields[UTIME - 2]) + int(fields[STIME - 2])) / TICKS


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _network(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except OSError:
        return ""
