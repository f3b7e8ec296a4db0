"""Finding a pod's processes, and through them its network namespace, by the cgroup that the kubelet makes for it.

Every container runtime puts a pod's processes below a directory whose name holds the pod's uid, with dashes
(cgroupfs driver) or underscores (systemd driver). That works without talking to the runtime.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from kubeslice.linux import netns
from kubeslice.linux.netns import Namespace

HOST_ROOT = Path("/host/sys/fs/cgroup")
ROOT = Path("/sys/fs/cgroup")
DEPTH = 6
# With cgroup version 1 every controller has a tree of its own; pods are in all of them, one is enough.
_HIERARCHIES = ("unified", "systemd", "pids", "memory", "cpu")


def hierarchy() -> Path:
    """Return the root of a tree that holds all pods of the node."""
    root = HOST_ROOT if HOST_ROOT.is_dir() else ROOT
    if (root / "cgroup.controllers").exists():
        return root
    return next((root / name for name in _HIERARCHIES if (root / name).is_dir()), root)


def find(root: Path, uid: str) -> Path | None:
    """Return the directory of the pod with this uid, breadth first, None when it has none yet."""
    marks = (uid, uid.replace("-", "_"))
    level = [str(root)]
    for _ in range(DEPTH):
        below: list[str] = []
        for directory in level:
            for entry in _directories(directory):
                if any(mark in entry.name for mark in marks):
                    return Path(entry.path)
                below.append(entry.path)
        level = below
    return None


def network(directory: Path, node: int) -> Namespace | None:
    """Open the network namespace of the processes below a pod's directory.

    `node` is the inode of the node's own namespace: a container's first process is still in it for a moment.
    """
    for process in _processes(str(directory)):
        try:
            found = netns.open_path(f"/proc/{process}/ns/net")
        except OSError:  # the process has ended
            continue
        if found.inode != node:
            return found
        found.close()
    return None


def _processes(directory: str) -> Iterator[int]:
    try:
        text = Path(directory, "cgroup.procs").read_text()
    except OSError:
        text = ""
    yield from (int(line) for line in text.split() if line != "0")
    for entry in _directories(directory):
        yield from _processes(entry.path)


def _directories(directory: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:  # gone meanwhile
        return []
