"""The processes of the lab as the machine sees them: whose they are, and ending one without warning.

A process of a pod is known by its cgroup, which carries the pod's uid; one of the lab itself by the lab's own list.
"""

import asyncio
import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path

from kubeslice.kube import objects
from kubeslice.lab import entering
from kubeslice.lab.client import ask
from kubeslice.model import names
from kubeslice.model.resources import PODS
from kubeslice.stage import places
from kubeslice.stage.stage import Stage

UID = re.compile(r"/pod([0-9a-f-]{36})")
COMPONENT = re.compile(r"kubeslice run (\w+)")
PROGRAMS = ("wireguard-go", "openvpn", "bird -f", "keepalived", "knotd", "kubeslice.lab.coredns")


@dataclass(frozen=True)
class Process:
    """A process: its pid on this machine, its cluster, its pod or the lab, what runs, and the slice it serves."""

    pid: int
    cluster: str
    home: str
    kind: str
    slice_name: str = ""

    @property
    def role(self) -> tuple[str, str, str]:
        """Return what its successor will have in common with it."""
        return self.cluster, self.home, self.kind

    def __str__(self) -> str:
        """Name it for people."""
        return f"{self.kind} ({self.cluster}{', ' + self.slice_name if self.slice_name else ''})"


async def of_pods(stage: Stage) -> list[Process]:
    """Return every process of the product and of the cluster's DNS."""
    pods = await _pods(stage)
    found = []
    for pid in await asyncio.to_thread(_all):
        kind, uid = _kind(pid), _uid(pid)
        if kind and uid in pods:
            cluster, name, slice_name = pods[uid]
            found.append(Process(pid, cluster, name, kind, slice_name))
    return found


async def of_lab() -> list[Process]:
    """Return the processes that stand for Kubernetes."""
    running = (await asyncio.to_thread(ask, places.lab(), "status"))[0]["processes"]
    pids = await asyncio.to_thread(entering.host_pids, places.lab())
    return [_of_cluster(entry["name"], pids[entry["pid"]]) for entry in running if entry["pid"] in pids]


def _of_cluster(name: str, pid: int) -> Process:
    cluster, _, kind = name.partition("/")
    return Process(pid, cluster, name, kind.rstrip("-0123456789"))


async def _pods(stage: Stage) -> dict[str, tuple[str, str, str]]:
    listings = await asyncio.gather(*(api.list(PODS) for api in stage.apis.values()))
    return {
        objects.uid(pod): (cluster, objects.name(pod), objects.labels(pod).get(names.SLICE_LABEL, ""))
        for cluster, listing in zip(stage.apis, listings, strict=True)
        for pod in listing.items
    }


def _all() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _kind(pid: int) -> str:
    command = _read(pid, "cmdline").replace("\0", " ")
    component = COMPONENT.search(command)
    if component:
        return component[1]
    return next((program.split()[0].rpartition(".")[2] for program in PROGRAMS if program in command), "")


def _uid(pid: int) -> str:
    found = UID.search(_read(pid, "cgroup"))
    return found[1] if found else ""


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:  # ended meanwhile
        return ""


def kill(process: Process) -> None:
    """End a process as the kernel does when memory runs out."""
    os.kill(process.pid, signal.SIGKILL)
