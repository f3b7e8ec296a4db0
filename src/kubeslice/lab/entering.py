"""Going into a lab from the machine: namespaces by descriptor, and which process there is which process here."""

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubeslice.lab import namespaces as ns
from kubeslice.lab.client import outer_pid

CANNOT_RUN = 127


@dataclass(frozen=True)
class Place:
    """What the lab answered to `enter`: kinds of namespaces, and a descriptor for each."""

    answer: dict[str, Any]
    descriptors: list[int]


def run(place: Place, command: Sequence[str]) -> int:
    """Run a command there, on this process's terminal, and return its exit status (128 + signal)."""
    guide = os.fork()
    if not guide:
        _guide(place, command)
    for descriptor in place.descriptors:
        os.close(descriptor)
    # Ctrl-C is for the command; it reaches it by the terminal.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _, status = os.waitpid(guide, 0)
    finally:
        signal.signal(signal.SIGINT, before)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _guide(place: Place, command: Sequence[str]) -> None:
    """Enter the namespaces, which the pid namespace wants another fork for, and pass the exit status on."""
    code = CANNOT_RUN
    try:
        for kind, descriptor in zip(place.answer["kinds"], place.descriptors, strict=True):
            ns.setns(descriptor, ns.FLAGS[kind])
        child = os.fork()
        if not child:
            _become(place, command)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
    except OSError as error:
        os.write(2, f"{error}\n".encode())
    finally:
        os._exit(code if code >= 0 else 128 - code)


def _become(place: Place, command: Sequence[str]) -> None:
    try:
        os.chdir(place.answer.get("directory") or "/")
        environment = place.answer.get("environment") or dict(os.environ)
        environment |= {key: os.environ[key] for key in ("TERM", "LANG") if key in os.environ}
        os.execvpe(command[0], list(command), environment)  # noqa: S606 - never with a shell
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(CANNOT_RUN)


def host_pids(name: str = "") -> dict[int, int]:
    """Return the pid on this machine for each pid inside the lab, from the kernel's own lists. Raises `NoLab`."""
    outer = outer_pid(name)
    children = Path(f"/proc/{outer}/task/{outer}/children").read_text().split()
    if not children:
        return {}
    inside = _namespace(int(children[0]))
    return {chain[1]: pid for pid, chain in _chains() if len(chain) > 1 and _namespace(pid) == inside}


def _chains() -> list[tuple[int, list[int]]]:
    found = []
    for path in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = path.read_text().splitlines()
        except OSError:
            continue
        chain = next((line for line in lines if line.startswith("NSpid:")), "")
        found.append((int(path.parent.name), [int(part) for part in chain.split()[1:]]))
    return found


def _namespace(pid: int) -> int:
    try:
        return Path(f"/proc/{pid}/ns/pid").stat().st_ino
    except OSError:
        return 0
