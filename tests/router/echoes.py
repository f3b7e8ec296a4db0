"""Traffic for router tests: small packets there and back, every few milliseconds, and what became of them."""

import contextlib
import socket
import threading
import time
from itertools import pairwise

from kubeslice.linux import netns
from kubeslice.linux.netns import Namespace

PERIOD = 0.005
PORT = 9000
LINGER = 0.5  # seconds in which late packets count


class Echo:
    """Answers every packet in a namespace until stopped."""

    def __init__(self, inside: Namespace) -> None:
        with netns.inside(inside):
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.bind(("", PORT))
        self._socket.settimeout(0.2)
        self._is_open = True
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._is_open = False

    def close(self) -> None:
        """Wait for the end after `stop`."""
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while self._is_open:
            try:
                data, sender = self._socket.recvfrom(64)
                self._socket.sendto(data, sender)
            except TimeoutError:
                continue
            except OSError:
                time.sleep(PERIOD)


class Flow:
    """Packets from one namespace to an `Echo`; `end` tells how many were lost and the longest gap in seconds.

    A gap is a time in which what was sent got lost: packets that are late on a busy machine are none.
    """

    def __init__(self, inside: Namespace, target: str) -> None:
        with netns.inside(inside):
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(0.2)
        self._target = target, PORT
        self._is_open = True
        self._sent: list[float] = []
        self._received: set[int] = set()
        self._began = time.monotonic()
        self._threads = [threading.Thread(target=work) for work in (self._send, self._receive)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send no more; what is under way may still arrive."""
        self._is_open = False

    def end(self) -> tuple[int, float]:
        """Wait for the last packets after `stop`; return packets lost and the longest gap."""
        for thread in self._threads:
            thread.join()
        self._socket.close()
        times = [self._began, *self._sent, self._sent[-1]]
        edges = [-1, *sorted(self._received), len(self._sent)]
        gaps = (times[after + 1] - times[before + 1] for before, after in pairwise(edges) if after - before > 1)
        return len(self._sent) - len(self._received), max(gaps, default=0.0)

    def _send(self) -> None:
        while self._is_open:
            with contextlib.suppress(OSError):  # an ICMP error is a lost packet
                self._socket.sendto(str(len(self._sent)).encode(), self._target)
            self._sent.append(time.monotonic())
            time.sleep(PERIOD)
        time.sleep(LINGER)

    def _receive(self) -> None:
        while self._is_open or self._threads[0].is_alive():
            try:
                self._received.add(int(self._socket.recv(64)))
            except OSError:
                continue


class Flows:
    """A flow from each of some namespaces to each of some addresses, where an echo answers; from `start` to `stop`."""

    def __init__(self, sources: list[Namespace], targets: dict[str, Namespace]) -> None:
        self._sources, self._targets = sources, targets
        self._echoes: list[Echo] = []
        self._flows: list[Flow] = []

    def start(self) -> None:
        """Let packets flow."""
        self._echoes = [Echo(inside) for inside in self._targets.values()]
        self._flows = [Flow(source, target) for source in self._sources for target in self._targets]

    def stop(self) -> tuple[int, float]:
        """Stop, once; returns the packets lost and the longest gap of all flows."""
        flows, self._flows = self._flows, []
        for flow in flows:
            flow.stop()
        ends = [flow.end() for flow in flows]
        echoes, self._echoes = self._echoes, []
        for echo in echoes:
            echo.stop()
        for echo in echoes:
            echo.close()
        return sum(lost for lost, _ in ends), max((gap for _, gap in ends), default=0.0)
