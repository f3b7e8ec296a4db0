"""UDP flows of the meter: senders, one socket and so one source port each, and the one receiver of all of them."""

import socket
import struct
import time
from collections.abc import Iterator

HEADER = struct.Struct("!BHIQ")
KINDS = ("udp-small", "udp-bulk")
SIZE = {"udp-small": 64, "udp-bulk": 1200}
BURST = {"udp-small": 1, "udp-bulk": 4}
# The kernel stamps what it receives, so that a busy processor does not look like a slow path (socket(7)).
SO_TIMESTAMPNS = 35
TIMESPEC = struct.Struct("qq")
ROOM = 4 << 20


class Sender:
    """One flow: numbered datagrams, each with the time it was sent."""

    def __init__(self, kind: str, number: int, peer: tuple[str, int], filling: bytes) -> None:
        self._head = KINDS.index(kind), number
        self._burst = BURST[kind]
        size = SIZE[kind] - HEADER.size
        self._body = (filling * (size // len(filling) + 1))[:size]
        self._next = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect(peer)

    def send(self) -> None:
        """Send as much as is due at once. What the kernel refuses counts as sent: it is lost."""
        for _ in range(self._burst):
            datagram = HEADER.pack(*self._head, self._next, time.time_ns()) + self._body
            self._next += 1
            try:
                self._socket.send(datagram)
            except OSError:
                continue


class Receiver:
    """All flows that arrive at a port."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
        self.socket.setblocking(False)
        self.socket.bind(("", port))

    def read(self) -> Iterator[tuple[str, int, float, float]]:
        """Yield what has arrived: flow, number, and when it was sent and arrived."""
        while True:
            try:
                data, notes, _, _ = self.socket.recvmsg(2048, 64)
            except BlockingIOError:
                return
            if len(data) >= HEADER.size and notes:
                kind, flow, number, sent = HEADER.unpack_from(data)
                seconds, nanoseconds = TIMESPEC.unpack(notes[0][2])
                yield f"{KINDS[kind]}-{flow}", number, sent / 1e9, seconds + nanoseconds / 1e9
