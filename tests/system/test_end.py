"""A lab with everything on it whose parent is killed leaves nothing on the machine."""

import os
import signal
import time
from pathlib import Path

import pytest

from kubeslice.demo import inventory
from kubeslice.lab import commands
from kubeslice.lab.client import NoLab, outer_pid
from kubeslice.lab.layout import instance
from kubeslice.stage import application, slices
from kubeslice.stage.scenario import Tenant
from kubeslice.stage.stage import clusters

PAIR = Tenant("red", "shop", ("worker-1", "worker-2"), "worker-2")
ENDING = 5.0


async def test_a_killed_lab_leaves_nothing(lab_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"{lab_name}-doomed"
    monkeypatch.setenv("KUBESLICE_LAB", name)
    before = inventory.of_machine()
    async with clusters(2, 1) as stage:
        await stage.install()
        await slices.apply(stage, PAIR)
        await application.deploy(stage.apis, PAIR)
        await slices.ready(stage, PAIR)
        assert any(instance(name) in item for item in inventory.of_machine() - before), "the test sees nothing"
        (parent,) = _children(outer_pid(name))
        os.kill(parent, signal.SIGKILL)
        assert _remains(before, name) == []
        with pytest.raises(NoLab):
            commands.status(name)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _remains(before: set[str], name: str) -> list[str]:
    """Return what is left after a while: of this lab, or of the kernel."""
    deadline = time.monotonic() + ENDING
    while True:
        left = inventory.of_machine() - before
        ours = sorted(item for item in left if instance(name) in item or not item.startswith(("process", "cgroup")))
        if not ours or time.monotonic() > deadline:
            return ours
        time.sleep(0.05)
