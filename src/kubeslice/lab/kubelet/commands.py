"""`kubectl exec` on the kubelet's side: the v5 channel protocol on a WebSocket, pipes or a terminal in the container.

Each binary message starts with its channel: 0 stdin, 1 stdout, 2 stderr, 3 the final Status as JSON, 4 a new terminal
size as JSON, 255 "this channel is closed". Source: KEP-4006 and k8s.io/apimachinery/pkg/util/remotecommand.
"""

import asyncio
import fcntl
import json
import os
import struct
import termios
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from kubeslice.lab.kubelet.records import Container, Sandbox
from kubeslice.lab.kubelet.session import CANNOT_START, Session

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
READ_SIZE = 32768
# Unlock a terminal, and open its other side: ioctl_tty(2).
TIOCSPTLCK, TIOCGPTPEER = 0x40045431, 0x5441


@dataclass(frozen=True)
class Wanted:
    """What a client asked for."""

    command: list[str]
    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    terminal: bool = False


class Feed:
    """Our end of the program's input, which may be closed once and for all."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor

    @property
    def is_open(self) -> bool:
        """Tell whether something can still be written."""
        return self.descriptor >= 0

    def close(self) -> None:
        """Close it, if it is not closed yet."""
        if self.is_open:
            os.close(self.descriptor)
            self.descriptor = -1


@dataclass(frozen=True)
class Ends:
    """Descriptors of one exec: three for the program, ours to write its input, ours to read, by channel."""

    program: tuple[int, int, int]
    feed: Feed
    outputs: dict[int, int]

    def close_program(self) -> None:
        """Close the program's ends, so that ours see when it has closed its own."""
        for descriptor in set(self.program):
            os.close(descriptor)


def open_ends(container: int, *, terminal: bool) -> Ends:
    """Make pipes for one program in a container (its first process), or one of the container's own terminals."""
    if terminal:
        ours = os.open(f"/proc/{container}/root/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        fcntl.ioctl(ours, TIOCSPTLCK, struct.pack("i", 0))
        theirs = fcntl.ioctl(ours, TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY)
        return Ends((theirs, theirs, theirs), Feed(os.dup(ours)), {STDOUT: ours})
    stdin, stdout, stderr = os.pipe(), os.pipe(), os.pipe()
    return Ends((stdin[0], stdout[1], stderr[1]), Feed(stdin[1]), {STDOUT: stdout[0], STDERR: stderr[0]})


async def execute(request: web.Request, wanted: Wanted, sandbox: Sandbox, record: Container) -> web.WebSocketResponse:
    """Run a command in a container, its streams on a WebSocket, until it ends or the client goes away."""
    socket = web.WebSocketResponse(protocols=PROTOCOLS)
    await socket.prepare(request)
    session, ends = Session(sandbox, record, wanted.command), open_ends(record.pid, terminal=wanted.terminal)
    try:
        try:
            session.start(ends.program, terminal=wanted.terminal)
        finally:
            ends.close_program()
        copies = [asyncio.create_task(_send(socket, channel, fd)) for channel, fd in ends.outputs.items()]
        feeding = asyncio.create_task(_feed(socket, ends, wanted))
        code = await _until_over(session, feeding)
        if code is not None:
            await asyncio.wait(copies, timeout=1.0)
            await socket.send_bytes(bytes([ERROR]) + json.dumps(exit_status(code, session.problem)).encode())
        for task in (*copies, feeding):
            task.cancel()
        await asyncio.gather(*copies, feeding, return_exceptions=True)
        await socket.close()
    finally:
        session.close()
        ends.feed.close()
        for descriptor in ends.outputs.values():
            os.close(descriptor)
    return socket


async def _until_over(session: Session, feeding: asyncio.Task[None]) -> int | None:
    """Return the exit code, or None when the client went away first."""
    waited: list[asyncio.Future[Any]] = [session.ended, feeding]
    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    if not session.ended.done() and feeding.done():
        return None
    return await session.ended


def exit_status(code: int, problem: str) -> dict[str, Any]:
    """Return the Status that tells kubectl how a command ended."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    if problem and code == CANNOT_START:
        message = f"Internal error occurred: {problem}"
        return {"metadata": {}, "status": "Failure", "message": message, "reason": "InternalError", "code": 500}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


async def _send(socket: web.WebSocketResponse, channel: int, descriptor: int) -> None:
    os.set_blocking(descriptor, False)
    while True:
        await _readable(descriptor)
        try:
            data = os.read(descriptor, READ_SIZE)
        except OSError:  # a terminal whose other side is closed
            return
        if not data:
            return
        await socket.send_bytes(bytes([channel]) + data)


async def _readable(descriptor: int) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


async def _writable(descriptor: int) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_writer(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_writer(descriptor)


async def _feed(socket: web.WebSocketResponse, ends: Ends, wanted: Wanted) -> None:
    """Pass on what the client sends until it goes away."""
    if not wanted.stdin and not wanted.terminal:
        ends.feed.close()
    async for message in socket:
        if message.type is not WSMsgType.BINARY or not message.data:
            continue
        channel, data = message.data[0], message.data[1:]
        if channel == STDIN and wanted.stdin:
            await _write(ends.feed, data)
        elif channel == RESIZE and wanted.terminal and ends.feed.is_open:
            _resize(ends.feed.descriptor, data)
        elif channel == CLOSE and data[:1] == bytes([STDIN]) and not wanted.terminal:
            ends.feed.close()


async def _write(feed: Feed, data: bytes) -> None:
    while data and feed.is_open:
        try:
            data = data[os.write(feed.descriptor, data) :]
        except BlockingIOError:
            await _writable(feed.descriptor)
        except OSError:  # nobody reads any more
            feed.close()


def _resize(descriptor: int, data: bytes) -> None:
    size = json.loads(data)
    rows, columns = int(size.get("Height") or 24), int(size.get("Width") or 80)
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
