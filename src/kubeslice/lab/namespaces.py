"""Linux namespaces, mounts and process attributes that Python 3.11 has no calls for: thin, blocking, one call each.

Everything raises OSError with the errno of the system call. Used by the lab's parent and by what it forks.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
FLAGS = {
    "mnt": CLONE_NEWNS,
    "cgroup": CLONE_NEWCGROUP,
    "uts": CLONE_NEWUTS,
    "ipc": CLONE_NEWIPC,
    "pid": CLONE_NEWPID,
    "net": CLONE_NEWNET,
}

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MS_SLAVE = 0x80000
MS_SHARED = 0x100000
MNT_DETACH = 0x2

_PR_SET_NAME = 15
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
# Where /proc/PID/stat has the address of the command line, counted after the name in parentheses (proc(5)).
_ARG_START = 45
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}[os.uname().machine]

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def unshare(flags: int) -> None:
    """Leave the namespaces of these kinds for new ones (unshare(2))."""
    _checked(_libc.unshare(flags), f"unshare {flags:#x}")


def setns(descriptor: int, flags: int = 0) -> None:
    """Enter the namespace behind a descriptor (setns(2))."""
    _checked(_libc.setns(descriptor, flags), f"setns {flags:#x}")


def enter(path: str | Path, kind: str) -> None:
    """Enter the namespace of `kind` (a key of `FLAGS`) that a file names."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        setns(descriptor, FLAGS[kind])
    finally:
        os.close(descriptor)


@contextmanager
def entered(path: str | Path, kind: str = "net") -> Iterator[None]:
    """Be inside another namespace for the length of a `with` block; only for single-threaded processes."""
    own = os.open(f"/proc/self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        enter(path, kind)
        try:
            yield
        finally:
            setns(own, FLAGS[kind])
    finally:
        os.close(own)


def make_network(path: Path) -> None:
    """Make a network namespace that lives as long as its bind mount at `path`, with its loopback still down."""
    path.touch()
    own = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        unshare(CLONE_NEWNET)
        try:
            mount("/proc/self/ns/net", path, flags=MS_BIND)
        finally:
            setns(own, CLONE_NEWNET)
    finally:
        os.close(own)


def mount(source: str | Path, target: str | Path, fstype: str = "", flags: int = 0, data: str = "") -> None:
    """Mount (mount(2))."""
    arguments = (str(source).encode(), str(target).encode(), fstype.encode() or None, flags, data.encode() or None)
    _checked(_libc.mount(*arguments), f"mount {source} on {target}")


def bind(source: str | Path, target: str | Path, *, read_only: bool = False) -> None:
    """Bind a tree, submounts included; a read-only bind covers the top mount."""
    mount(source, target, flags=MS_BIND | MS_REC)
    if read_only:
        mount("none", target, flags=MS_BIND | MS_REMOUNT | MS_RDONLY)


def propagate(target: str | Path, how: int) -> None:
    """Set the mount propagation of a tree: `MS_PRIVATE`, `MS_SLAVE` or `MS_SHARED`."""
    mount("none", target, flags=MS_REC | how)


def unmount(target: str | Path) -> None:
    """Detach a mount and all below it; it ends when nobody uses it (umount2(2) with MNT_DETACH)."""
    _checked(_libc.umount2(str(target).encode(), MNT_DETACH), f"umount {target}")


def pivot_root(new: str | Path, old: str | Path) -> None:
    """Make `new` the root directory and put the former one at `old`, a directory below it (pivot_root(2))."""
    _checked(_libc.syscall(_SYS_PIVOT_ROOT, str(new).encode(), str(old).encode()), f"pivot_root {new}")


def _prctl(option: int, value: int | bytes) -> None:
    _checked(_libc.prctl(option, value if isinstance(value, bytes) else ctypes.c_ulong(value), 0, 0, 0), "prctl")


def name_process(name: str, title: str = "") -> None:
    """Set the process's short name (15 characters), and its command line, which the old one must have room for."""
    _prctl(_PR_SET_NAME, name.encode()[:15] + b"\0")
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[_ARG_START]), int(fields[_ARG_START + 1])
    text = (title or name).encode()[: max(0, end - start - 1)]
    if start and text:
        ctypes.memmove(start, text.ljust(end - start, b"\0"), end - start)


def forbid_privileges() -> None:
    """Let no program started from here gain privileges by set-user-id or file capabilities."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def drop_capability(number: int) -> None:
    """Take a capability out of the bounding set: no program started from here can have it."""
    _prctl(_PR_CAPBSET_DROP, number)
