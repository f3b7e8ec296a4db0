"""Kernel parameters below /proc/sys/net, read and written inside a network namespace."""

from collections.abc import Mapping
from pathlib import Path

from kubeslice.linux import netns
from kubeslice.linux.netns import Namespace

_ROOT = Path("/proc/sys/net")


def ensure(values: Mapping[str, str], namespace: Namespace) -> bool:
    """Give parameters (`ipv4/ip_forward`) their values; tell whether any had to change.

    A parameter that this kernel does not have is left out: it belongs to a protocol that is not there either.
    """
    with netns.inside(namespace):
        changed = [_ensure(_ROOT / name, value) for name, value in values.items()]
    return any(changed)


def _ensure(path: Path, value: str) -> bool:
    try:
        if path.read_text().strip() == value:
            return False
    except FileNotFoundError:
        return False
    path.write_text(value)
    return True
