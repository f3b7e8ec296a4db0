"""What a container's process may do: capabilities, user, groups, no new privileges. `bounding_set` is pure."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kubeslice.lab import namespaces as ns

_IN_ORDER = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT "
    "SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP "
    "MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)
_CONTAINERD = (
    "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL "
    "AUDIT_WRITE"
)
# By the number the kernel gives them; and what containerd leaves to a container that asks for nothing.
CAPABILITIES = tuple(_IN_ORDER.split())
USUAL = frozenset(_CONTAINERD.split())


def bounding_set(context: dict[str, Any]) -> list[str]:
    """Return the capabilities a securityContext leaves, sorted as the kernel numbers them."""
    if context.get("privileged"):
        return list(CAPABILITIES)
    wanted = context.get("capabilities") or {}
    added, dropped = (_names(wanted.get(key)) for key in ("add", "drop"))
    kept = set() if "ALL" in dropped else set(USUAL) - dropped
    kept |= set(CAPABILITIES) if "ALL" in added else added
    return [name for name in CAPABILITIES if name in kept]


def _names(values: Iterable[str] | None) -> set[str]:
    return {value.upper().removeprefix("CAP_") for value in values or ()}


def take(wanted: dict[str, Any]) -> None:
    """Become what {capabilities, user, group, groups, noNewPrivileges} says; there is no way back."""
    kept = set(wanted["capabilities"])
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for number, name in enumerate(CAPABILITIES[: last + 1]):
        if name not in kept:
            ns.drop_capability(number)
    if wanted["noNewPrivileges"]:
        ns.forbid_privileges()
    os.setgroups(wanted["groups"])
    os.setresgid(wanted["group"], wanted["group"], wanted["group"])
    if wanted["user"]:
        os.setresuid(wanted["user"], wanted["user"], wanted["user"])
