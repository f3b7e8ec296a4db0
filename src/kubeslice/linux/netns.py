"""Network namespaces: opened by path, made with a name that outlives us, entered by one thread at a time.

The standard library of Python 3.11 has neither `setns` nor `unshare`, so the three system calls go through ctypes.
A thread that is inside a namespace starts its programs and opens its sockets there; other threads are not affected.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

CLONE_NEWNET = 0x40000000
MS_BIND = 0x1000
MNT_DETACH = 2
_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """An open network namespace. It lives at least as long as this object; `close` it, or use it as a context."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.inode = os.fstat(descriptor).st_ino

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def path(self) -> str:
        """Return a path to this namespace for programs that inherit the descriptor."""
        return f"/proc/self/fd/{self.descriptor}"

    def close(self) -> None:
        """Let go of the namespace."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor = -1


def open_path(path: Path | str) -> Namespace:
    """Open the namespace behind a bind mount or a /proc/PID/ns/net. Raises `OSError`."""
    return Namespace(os.open(path, os.O_RDONLY | os.O_CLOEXEC))


def current() -> Namespace:
    """Open the namespace of the calling thread."""
    return open_path("/proc/thread-self/ns/net")


@contextmanager
def inside(namespace: Namespace) -> Iterator[None]:
    """Move the calling thread into a namespace for the length of the block."""
    with current() as home:
        _enter(namespace.descriptor)
        try:
            yield
        finally:
            _enter(home.descriptor)


def anonymous() -> Namespace:
    """Make a namespace that lives only as long as somebody holds it open."""
    with current() as home:
        _check(_libc.unshare(CLONE_NEWNET))
        try:
            return current()
        finally:
            _enter(home.descriptor)


def create(path: Path) -> Namespace:
    """Make a namespace, bind it to `path` so that it survives this process, and open it."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    made = anonymous()
    try:
        bind(made, path)
    except OSError:
        made.close()
        raise
    return made


def bind(namespace: Namespace, path: Path) -> None:
    """Give an open namespace a name in the file system."""
    path.touch(mode=0o444)
    source = f"/proc/self/fd/{namespace.descriptor}".encode()
    try:
        _check(_libc.mount(source, os.fsencode(path), b"none", ctypes.c_ulong(MS_BIND), None))
    except OSError:
        path.unlink()
        raise


def release(path: Path) -> None:
    """Take the name of a namespace away; the kernel ends the namespace when nobody else holds it."""
    if is_bound(path):
        _check(_libc.umount2(os.fsencode(path), MNT_DETACH))
    path.unlink(missing_ok=True)


def is_bound(path: Path) -> bool:
    """Tell whether a namespace is mounted at `path`; a bare file is what an interrupted `create` leaves."""
    try:
        return path.stat().st_dev == Path("/proc/self/ns/net").stat().st_dev
    except FileNotFoundError:
        return False


def _enter(descriptor: int) -> None:
    _check(_libc.setns(descriptor, CLONE_NEWNET))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
