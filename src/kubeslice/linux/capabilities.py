"""What this kernel can do, found by trying it in a throw-away namespace, as data."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from kubeslice.linux import netns
from kubeslice.linux.commands import CommandFailed, run
from kubeslice.linux.netns import Namespace

KERNEL_ENGINE = "kernel"
USERSPACE_ENGINE = "userspace"


@dataclass(frozen=True)
class Capabilities:
    """Which devices this kernel makes, and whether it lets programs make tunnels of their own."""

    wireguard: bool
    vxlan: bool
    bridge: bool
    tun: bool

    @property
    def engine(self) -> str:
        """Return what carries WireGuard here: kernel, userspace, or nothing."""
        if self.wireguard:
            return KERNEL_ENGINE
        return USERSPACE_ENGINE if self.tun and shutil.which("wireguard-go") else ""


def probe() -> Capabilities:
    """Try everything out. Needs CAP_SYS_ADMIN for the throw-away namespace."""
    with netns.anonymous() as somewhere:
        return Capabilities(
            wireguard=can_create("wireguard", somewhere),
            vxlan=can_create("vxlan id 1 dstport 4789", somewhere),
            bridge=can_create("bridge", somewhere),
            tun=Path("/dev/net/tun").exists(),
        )


def can_create(kind: str, namespace: Namespace | None = None) -> bool:
    """Tell whether a link of this kind can be made; it is deleted at once."""
    try:
        run(["ip", "link", "add", "name", "probe0", "type", *kind.split()], namespace=namespace)
        run(["ip", "link", "delete", "dev", "probe0"], namespace=namespace)
    except CommandFailed:
        return False
    return True
