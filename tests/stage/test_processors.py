"""Processor time is the kernel's account; programs are found by the network they run in."""

import asyncio
import os
import subprocess
import time
from functools import partial

import pytest

from kubeslice.linux import netns
from kubeslice.linux.netns import Namespace
from kubeslice.stage import processors
from kubeslice.stage.places import Output
from kubeslice.stage.processors import Spent
from tests.kernel import Kernel


def test_work_costs_processor_time() -> None:
    before = processors.spent([os.getpid()])
    until = time.process_time() + 0.1
    while time.process_time() < until:
        pass
    cost = processors.spent([os.getpid()]).since(before)
    assert cost is not None
    assert 0.05 < cost < 2


def test_programs_that_came_or_went_meanwhile_do_not_count() -> None:
    assert Spent({1: 5.0, 2: 9.0}).since(Spent({1: 4.0, 3: 1.0})) == 1.0
    assert Spent({2: 9.0}).since(Spent({3: 1.0})) is None


@pytest.mark.kernel
async def test_a_program_is_found_by_its_network(kernel: Kernel) -> None:
    here, there = kernel.namespace(), kernel.namespace()
    mine = kernel.process(here, "sleep", "30")
    kernel.process(there, "sleep", "30")
    assert await processors.in_networks([partial(run, here)], "sleep") == [mine.pid]


async def run(namespace: Namespace, command: object) -> Output:
    """Run a program in a namespace, to its end."""
    assert isinstance(command, list)
    return await asyncio.to_thread(_run, namespace, command)


def _run(namespace: Namespace, command: list[str]) -> Output:
    with netns.inside(namespace):
        done = subprocess.run(command, capture_output=True, check=False)
    return Output(done.returncode, done.stdout, done.stderr)
