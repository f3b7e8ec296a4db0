"""What carries WireGuard here: the kernel where it can, else wireguard-go, kept running by us."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from kubeslice.linux import capabilities
from kubeslice.linux.capabilities import KERNEL_ENGINE, USERSPACE_ENGINE
from kubeslice.linux.commands import run
from kubeslice.linux.process import Program
from kubeslice.model.errors import Retry
from kubeslice.model.names import WIREGUARD_INTERFACE
from kubeslice.runtime.settings import MissingSetting

PROGRAM = "wireguard-go"


@dataclass(frozen=True)
class Engine:
    """A way to have a WireGuard device. `description` is for people; `kind` is what the kernel calls the device."""

    description: str
    kind: str
    program: Program | None = None


def choose(wish: str, started: Callable[[], None]) -> Engine:
    """Return the engine: `wish` if there is one, else the kernel if it can. Raises `MissingSetting`.

    `started` is called whenever the program of a userspace engine starts.
    """
    if wish not in ("", KERNEL_ENGINE, USERSPACE_ENGINE):
        raise MissingSetting(f"WIREGUARD_ENGINE={wish!r} is not an engine: write {KERNEL_ENGINE} or {USERSPACE_ENGINE}")
    if wish == KERNEL_ENGINE or (not wish and capabilities.can_create("wireguard")):
        return Engine("kernel", "wireguard")
    environment = {**os.environ, "WG_PROCESS_FOREGROUND": "1"}  # what --foreground is short for, but without its banner
    program = Program([PROGRAM, WIREGUARD_INTERFACE], environment=environment, started=started)
    try:
        version = run([PROGRAM, "--version"]).splitlines()[0]
    except Retry as error:
        raise MissingSetting(f"the kernel has no WireGuard, and {error}: install {PROGRAM}") from error
    return Engine(version, "tun", program)
