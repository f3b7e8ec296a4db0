"""A lab comes up, and goes without a trace: by `down`, by kill -9 of its parent, by kill -9 of its outer process."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kubeslice.lab import commands
from kubeslice.lab.client import LabRefused, NoLab, outer_pid
from kubeslice.lab.topology import lab_topology

pytestmark = pytest.mark.lab

NAME = f"life{os.getpid()}"


def traces() -> dict[str, set[str]]:
    """Return what of a lab could stay on the machine."""
    links = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True).stdout
    rules = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout
    hierarchies = [Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")]
    groups = {path.name for hierarchy in hierarchies for path in hierarchy.glob(f"*{NAME}*")}
    processes = subprocess.run(["pgrep", "-f", NAME], capture_output=True, text=True, check=False).stdout
    return {
        "mounts": set(Path("/proc/self/mountinfo").read_text().splitlines()),
        "links": {line.split("@")[0].split()[0] for line in links.splitlines()},
        "rules": set(rules.splitlines()),
        "groups": groups,
        "processes": set(processes.split()),
        "namespaces": {path.name for path in Path("/run/netns").glob("*")},
        "run": {path.name for path in Path("/run").glob("*lab*")},
    }


def new(before: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the traces that were not there before."""
    return {kind: found - before[kind] for kind, found in traces().items() if found - before[kind]}


def by_down() -> None:
    commands.down(NAME)


def by_killing_the_parent() -> None:
    outer = outer_pid(NAME)
    (parent,) = Path(f"/proc/{outer}/task/{outer}/children").read_text().split()
    os.kill(int(parent), signal.SIGKILL)


def by_killing_the_outer_process() -> None:
    os.kill(outer_pid(NAME), signal.SIGKILL)


@pytest.mark.parametrize("end", [by_down, by_killing_the_parent, by_killing_the_outer_process])
def test_a_lab_leaves_nothing(end: Callable[[], None]) -> None:
    if os.geteuid() != 0:
        pytest.skip("a lab needs root")
    before = traces()
    told: list[str] = []
    commands.up(lab_topology(0, name=NAME), told.append)
    try:
        assert "hub is ready" in told
        assert {"groups", "processes"} <= new(before).keys(), "the test sees nothing of a lab that runs"
        state = commands.status(NAME)
        assert state["clusters"][0]["nodes"] == {"hub-node-1": True}
        assert all(Path(f"/proc/{process['hostPid']}").exists() for process in state["processes"])
        with pytest.raises(commands.LabFailed, match="running already"):
            commands.up(lab_topology(0, name=NAME))
    finally:
        end()
    deadline = time.monotonic() + 5
    while (left := new(before)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left
    with pytest.raises(NoLab):
        commands.status(NAME)


def test_nonsense_is_refused(lab: object) -> None:
    name = lab.name  # type: ignore[attr-defined]
    with pytest.raises(LabRefused, match="no cluster 'nowhere'"):
        commands.kubeconfig("nowhere", name)
    with pytest.raises(LabRefused, match="neither wan, nor a node"):
        commands.execute("nowhere", ["true"], name)
    with pytest.raises(LabRefused, match="neither a cluster nor a node"):
        commands.cut("nowhere", name=name)
    with pytest.raises(LabRefused, match="no process 'hub/nothing'"):
        list(commands.logs("hub/nothing", name))
    assert b"serving" in b"".join(commands.logs("hub/apiserver", name))
