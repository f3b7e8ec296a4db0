"""Control groups: a directory per lab, node, pod and container; the kernel's own list of who belongs to what."""

import contextlib
import os
import time
from pathlib import Path

PATIENCE = 2.0


def kill(group: Path) -> None:
    """Kill every process of a group and its subgroups at once (cgroup.kill, Linux 5.14)."""
    with contextlib.suppress(FileNotFoundError, OSError):
        (group / "cgroup.kill").write_text("1")


def is_populated(group: Path) -> bool:
    """Tell whether a process lives in the group or below."""
    try:
        return "populated 1" in (group / "cgroup.events").read_text()
    except FileNotFoundError:
        return False


def remove_tree(group: Path) -> None:
    """Kill what is left in a group, wait for the kernel to let go of it, and remove it and its subgroups."""
    if not group.exists():
        return
    kill(group)
    deadline = time.monotonic() + PATIENCE
    while is_populated(group) and time.monotonic() < deadline:
        time.sleep(0.002)
    for directory, _, _ in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):
            Path(directory).rmdir()
