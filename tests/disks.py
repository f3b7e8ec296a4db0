"""A small disk for tests of what happens when it is full."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kubeslice.linux.commands import run

NAMES = 64


@contextmanager
def a_disk(size: int = 1 << 16) -> Iterator[Path]:
    """Give a test an empty disk for 64 KiB and 64 names, or skip it where there are no rights to make one."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    disk = Path(tempfile.mkdtemp(prefix="disk-"))  # not in pytest's own directory: paths of sockets have to be short
    run(["mount", "-t", "tmpfs", "-o", f"size={size},nr_inodes={NAMES}", "tmpfs", str(disk)])
    try:
        yield disk
    finally:
        run(["umount", "--lazy", str(disk)])
        disk.rmdir()


def fill(disk: Path) -> Path:
    """Leave room on a disk neither for bytes nor for names; returns the directory to remove for some."""
    waste = disk / "waste"
    waste.mkdir()
    with contextlib.suppress(OSError), (waste / "bytes").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    with contextlib.suppress(OSError):
        for number in range(NAMES):
            (waste / str(number)).touch()
    return waste
