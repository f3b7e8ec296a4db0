"""The loop of one end: sends what is due every few milliseconds, reads what arrives, tells every quarter of a second.

A line of JSON has the time (the machine's monotonic clock), by how much the loop itself was late at most, for each
flow that arrives here [received, lost, reordered, longest gap since the last line, seconds since the last arrival],
and for each flow that begins here how many of its connections died.
"""

import json
import selectors
import socket
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from kubeslice.stage.meter import streams
from kubeslice.stage.meter.arrivals import Arrivals
from kubeslice.stage.meter.datagrams import Receiver, Sender
from kubeslice.stage.meter.streams import Pieces, Stream

TICK = 0.005
REPORT = 0.25
ECHO, BULK, DATAGRAMS = 0, 1, 2
Read = Callable[[float], None]


@dataclass(frozen=True)
class Plan:
    """What one end does: whom it calls, the first of its three ports, and how many flows of each kind it begins."""

    peer: str
    port: int
    small: int
    bulk: int
    filling: bytes


class Meter:
    """One end of the path."""

    def __init__(self, plan: Plan) -> None:
        self._selector = selectors.DefaultSelector()
        self._arrivals: dict[str, Arrivals] = defaultdict(Arrivals)
        self._last: dict[str, float] = {}
        self._late = 0.0
        self._receiver = Receiver(plan.port + DATAGRAMS)
        self._watch(self._receiver.socket, self._read_datagrams)
        for kind, size in ((ECHO, streams.REQUEST), (BULK, streams.CHUNK)):
            listener = streams.listen(plan.port + kind)
            self._watch(listener, self._accepting(listener, size, is_echo=kind == ECHO))
        peer = [(plan.peer, plan.port + kind) for kind in range(3)]
        filling = plan.filling
        self._small = [Sender("udp-small", number, peer[DATAGRAMS], filling) for number in range(plan.small)]
        self._bulk = [Sender("udp-bulk", number, peer[DATAGRAMS], filling) for number in range(plan.bulk)]
        self._asking = [Stream(number, peer[ECHO], streams.REQUEST, filling) for number in range(plan.small)]
        self._pushing = [Stream(number, peer[BULK], streams.CHUNK, filling) for number in range(plan.bulk)]
        self._unanswered: set[Stream] = set()

    def run(self) -> None:
        """Go on until somebody ends the process or nobody reads any more."""
        due = told = time.monotonic()
        number = 0
        while True:
            now = time.monotonic()
            if now < due:
                for key, _ in self._selector.select(due - now):
                    key.data(time.monotonic())
                continue
            self._late = max(self._late, now - due)
            # A tick that was missed is not made up for: a burst would measure something else.
            due = max(due + TICK, now)
            number += 1
            self._tick(now, is_second=number % 2 == 0)
            if now - told >= REPORT:
                told = now
                self._tell(now)

    def _tick(self, now: float, *, is_second: bool) -> None:
        for sender in self._small:
            sender.send()
        if not is_second:
            return
        for sender in self._bulk:
            sender.send()
        for stream in self._pushing:
            self._connect(stream, now, self._reading_end(stream))
            stream.send(now)
        for stream in self._asking:
            self._connect(stream, now, self._reading_answers(stream))
            if stream not in self._unanswered and stream.send(now):
                self._unanswered.add(stream)

    def _connect(self, stream: Stream, now: float, read: Read) -> None:
        opened = stream.connect(now)
        if opened:
            self._unanswered.discard(stream)
            self._watch(opened, read)

    def _watch(self, opened: socket.socket, read: Read) -> None:
        # A number that belonged to a connection which has broken may be in use again.
        with suppress(KeyError):
            self._selector.unregister(opened)
        self._selector.register(opened, selectors.EVENT_READ, read)

    def _arrived(self, flow: str, number: int, sent: float, arrived: float, now: float) -> None:
        self._arrivals[flow].arrive(number, sent, arrived)
        self._last[flow] = now

    def _read_datagrams(self, now: float) -> None:
        for flow, number, sent, arrived in self._receiver.read():
            self._arrived(flow, number, sent, arrived, now)

    def _accepting(self, listener: socket.socket, size: int, *, is_echo: bool) -> Read:
        def accept(_: float) -> None:
            opened, _ = listener.accept()
            opened.setblocking(False)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._watch(opened, self._echoing(opened) if is_echo else self._swallowing(opened, size))

        return accept

    def _echoing(self, opened: socket.socket) -> Read:
        def echo(_: float) -> None:
            data = self._receive(opened)
            if data:
                # Requests are few bytes and one at a time: the kernel always has room for the answer.
                opened.send(data)
            elif data is not None:
                self._drop(opened)

        return echo

    def _swallowing(self, opened: socket.socket, size: int) -> Read:
        pieces = Pieces(size)

        def swallow(now: float) -> None:
            data = self._receive(opened)
            if data:
                for flow, number, sent in pieces.feed(data):
                    self._arrived(f"tcp-bulk-{flow}", number, sent, now, now)
            elif data is not None:
                self._drop(opened)

        return swallow

    def _reading_answers(self, stream: Stream) -> Read:
        pieces = Pieces(streams.REQUEST)

        def read(now: float) -> None:
            for flow, number, sent in pieces.feed(self._receive_of(stream, now)):
                self._arrived(f"tcp-small-{flow}", number, sent, now, now)
                self._unanswered.discard(stream)

        return read

    def _reading_end(self, stream: Stream) -> Read:
        def read(now: float) -> None:
            self._receive_of(stream, now)

        return read

    def _receive_of(self, stream: Stream, now: float) -> bytes:
        """Return what a flow of ours got; when its connection has ended, take note of that and return nothing."""
        opened = stream.socket
        assert opened is not None
        data = self._receive(opened)
        if data == b"":
            self._selector.unregister(opened)
            stream.broken(now)
        return data or b""

    @staticmethod
    def _receive(opened: socket.socket) -> bytes | None:
        """Return data, nothing at the end of the connection, None when there is nothing yet."""
        try:
            return opened.recv(65536)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _drop(self, opened: socket.socket) -> None:
        self._selector.unregister(opened)
        opened.close()

    def _tell(self, now: float) -> None:
        flows = {
            flow: [one.received, one.lost, one.reordered, round(one.take_gap(), 4), round(now - self._last[flow], 3)]
            for flow, one in self._arrivals.items()
        }
        died = {f"tcp-small-{number}": stream.died for number, stream in enumerate(self._asking)}
        died |= {f"tcp-bulk-{number}": stream.died for number, stream in enumerate(self._pushing)}
        line = {"t": round(now, 3), "late": round(self._late, 4), "flows": flows, "died": died}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        self._late = 0.0
