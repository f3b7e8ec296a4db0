"""TCP flows of the meter: small requests and their answers, and bulk; connections that are made again when they die."""

import socket
import struct
import time
from contextlib import suppress

STAMP = struct.Struct("!HIQ")
REQUEST = 32
CHUNK = 8192
AGAIN_AFTER = 0.2
CONNECTS_WITHIN = 1.0


class Stream:
    """The end of a TCP flow that calls. `died` counts connections that were established and broke."""

    def __init__(self, number: int, peer: tuple[str, int], size: int, filling: bytes) -> None:
        self.died = 0
        self.socket: socket.socket | None = None
        self._number = number
        self._peer = peer
        rest = size - STAMP.size
        self._body = (filling * (rest // len(filling) + 1))[:rest]
        self._established = False
        self._since = 0.0
        self._next = 0
        self._unsent = b""

    def connect(self, now: float) -> socket.socket | None:
        """Call again when there is no connection and it is time to; return the new socket if there is one."""
        if self.socket and not self._established and now - self._since > CONNECTS_WITHIN:
            self._close(now)
        if self.socket or now - self._since < AGAIN_AFTER:
            return None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._established, self._since, self._unsent = False, now, b""
        with suppress(BlockingIOError):
            self.socket.connect(self._peer)
        return self.socket

    def send(self, now: float) -> bool:
        """Send the next piece, or what is left of the last one; tell whether a new piece has been begun."""
        if not self.socket:
            return False
        piece = self._unsent or STAMP.pack(self._number, self._next, time.monotonic_ns()) + self._body
        is_new = not self._unsent
        try:
            sent = self.socket.send(piece)
        except BlockingIOError:
            return False
        except OSError:
            self.broken(now)
            return False
        self._established = True
        self._unsent = piece[sent:]
        self._next += is_new
        return is_new

    def broken(self, now: float) -> None:
        """Take note that the connection has ended."""
        self.died += self._established
        self._close(now)

    def _close(self, now: float) -> None:
        if self.socket:
            self.socket.close()
        self.socket, self._established, self._since = None, False, now


class Pieces:
    """Cuts what arrives on a connection into the pieces that were sent."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._data = b""

    def feed(self, data: bytes) -> list[tuple[int, int, float]]:
        """Return flow, number and time of sending of every piece that is complete now."""
        self._data += data
        whole, rest = divmod(len(self._data), self._size)
        found = [STAMP.unpack_from(self._data, index * self._size) for index in range(whole)]
        self._data = self._data[len(self._data) - rest :]
        return [(flow, number, sent / 1e9) for flow, number, sent in found]


def listen(port: int) -> socket.socket:
    """Return a listening socket."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setblocking(False)
    listener.bind(("", port))
    listener.listen(64)
    return listener
