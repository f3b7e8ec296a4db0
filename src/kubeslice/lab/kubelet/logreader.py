"""Reads container logs back for `kubectl logs`: the tail, since when, and what is added while somebody follows."""

import asyncio
import ctypes
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kubeslice.lab.pods.logfile import parse

_IN_MODIFY, _IN_CREATE, _IN_MOVED = 0x2, 0x100, 0xC0
READ_SIZE = 1 << 18


@dataclass(frozen=True)
class Options:
    """What of a log is wanted; the names are those of the query of `GET …/log`."""

    tail_lines: int | None = None
    since: str = ""
    timestamps: bool = False
    follow: bool = False
    limit_bytes: int | None = None


def since_text(seconds: float, now: datetime) -> str:
    """Return `sinceSeconds` as a timestamp that compares with those of a log."""
    return (now.astimezone(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def selected(lines: Iterable[bytes], options: Options) -> list[bytes]:
    """Return the whole lines that are wanted, as they are to be shown."""
    found = [shown for line in lines if (shown := _shown(line, options)) is not None]
    if options.tail_lines is not None:
        found = found[len(found) - min(options.tail_lines, len(found)) :]
    return found


def _shown(line: bytes, options: Options) -> bytes | None:
    stamp, text = parse(line)
    if options.since and stamp < options.since:
        return None
    return stamp.encode() + b" " + text if options.timestamps else text


async def read(path: Path, options: Options, is_over: Callable[[], bool]) -> AsyncIterator[bytes]:
    """Yield what is wanted of a log, and with `follow` what comes, until `is_over` says that nothing will."""
    with _changes(path.parent) as changed:
        ended = is_over()
        lines, position = _written(path)
        yield b"".join(selected(lines, options))
        while options.follow and not ended:
            ended = is_over()
            changed.clear()
            fresh, position = _fresh(path, position)
            if fresh:
                yield b"".join(selected(fresh, Options(timestamps=options.timestamps)))
            elif not ended:
                # The end of a container changes no file: look again every second.
                await _either(changed, 1.0)


def _written(path: Path) -> tuple[list[bytes], int]:
    """Return the lines of a log so far, those of the file before it too, and where they end."""
    earlier = path.with_name(path.name + ".1")
    before = earlier.read_bytes() if earlier.exists() else b""
    data = path.read_bytes() if path.exists() else b""
    whole = data[: data.rfind(b"\n") + 1]
    return (before + whole).splitlines(keepends=True), len(whole)


async def _either(changed: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await changed.wait()
    except TimeoutError:
        return


def _fresh(path: Path, position: int) -> tuple[list[bytes], int]:
    if not path.exists():
        return [], position
    if path.stat().st_size < position:
        position = 0
    with path.open("rb") as file:
        file.seek(position)
        data = file.read(READ_SIZE)
    whole = data[: data.rfind(b"\n") + 1]
    return whole.splitlines(keepends=True), position + len(whole)


@contextmanager
def _changes(directory: Path) -> Iterator[asyncio.Event]:
    """Set an event whenever a file of a directory changes (inotify(7))."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
    event, loop = asyncio.Event(), asyncio.get_running_loop()
    libc.inotify_add_watch(descriptor, str(directory).encode(), _IN_MODIFY | _IN_CREATE | _IN_MOVED)

    def react() -> None:
        os.read(descriptor, 65536)
        event.set()

    loop.add_reader(descriptor, react)
    try:
        yield event
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
