"""Running programs inside a lab: on the WAN, on a node, in a pod. The lab opens namespaces, nsenter enters them."""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from kubeslice.lab import client

OPTION = {"net": "net", "uts": "uts", "ipc": "ipc", "cgroup": "cgroup", "pid": "pid", "mnt": "mount"}
EVERYTHING = frozenset(OPTION)
# Only a node's network: files and programs are the machine's, and the lab's end ends the programs too.
NETWORK = frozenset({"net", "pid"})


def lab() -> str:
    """Return the name of the lab that is meant, as the command line reads it."""
    return os.environ.get("KUBESLICE_LAB", "")


@dataclass(frozen=True)
class Output:
    """What a program printed and how it ended."""

    status: int
    stdout: bytes
    stderr: bytes


async def spawn(target: str, command: Sequence[str], kinds: Collection[str] = EVERYTHING) -> Process:
    """Start a program at a target (`wan`, a node, CLUSTER/NAMESPACE/POD), in these kinds of its namespaces.

    Its output can be read as it comes.
    """
    answer, descriptors = await asyncio.to_thread(client.ask, lab(), "enter", target=target)
    try:
        options = [
            f"--{OPTION[kind]}=/proc/self/fd/{descriptor}"
            for kind, descriptor in zip(answer["kinds"], descriptors, strict=True)
            if kind in kinds
        ]
        environment = [f"{key}={value}" for key, value in answer.get("environment", {}).items()]
        wrapper = ["env", "-i", *environment] if environment else []
        return await asyncio.create_subprocess_exec(
            "nsenter",
            *options,
            *wrapper,
            *command,
            stdout=PIPE,
            stderr=PIPE,
            pass_fds=descriptors,
            start_new_session=True,
        )
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


async def run(target: str, command: Sequence[str], kinds: Collection[str] = EVERYTHING) -> Output:
    """Run a program to its end; when cancelled, end it."""
    process = await spawn(target, command, kinds)
    try:
        stdout, stderr = await process.communicate()
    except BaseException:
        end(process, signal.SIGKILL)
        await process.wait()  # its output is being read already, by what was cancelled just now
        raise
    return Output(process.returncode or 0, stdout, stderr)


def end(process: Process, number: int = signal.SIGTERM) -> None:
    """Signal a program that `spawn` started; nsenter has forked it, so the signal goes to the whole group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
