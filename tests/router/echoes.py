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


class Echo:
    """Answers every packet in a namespace until closed."""

    def __init__(self, inside: Namespace) -> None:
        with netns.inside(inside):
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.bind(("", PORT))
        self._socket.settimeout(0.2)
        self._is_open = True
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._is_open = False
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
    """Packets from one namespace to an `Echo`; `stop` tells how many were lost and the longest gap in seconds."""

    def __init__(self, inside: Namespace, target: str) -> None:
        with netns.inside(inside):
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(0.2)
        self._target = target, PORT
        self._is_open = True
        self._sent = 0
        self._received: dict[int, float] = {}
        self._began = time.monotonic()
        self._threads = [threading.Thread(target=work) for work in (self._send, self._receive)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> tuple[int, float]:
        """Stop and return packets lost and the longest gap."""
        time.sleep(0.2)
        self._is_open = False
        for thread in self._threads:
            thread.join()
        self._socket.close()
        times = [self._began, *sorted(self._received.values())]
        gap = max((after - before for before, after in pairwise(times)), default=float("inf"))
        return self._sent - len(self._received), gap

    def _send(self) -> None:
        while self._is_open:
            with contextlib.suppress(OSError):  # an ICMP error is a lost packet
                self._socket.sendto(str(self._sent).encode(), self._target)
            self._sent += 1
            time.sleep(PERIOD)
        time.sleep(0.5)

    def _receive(self) -> None:
        while self._is_open or self._threads[0].is_alive():
            try:
                self._received[int(self._socket.recv(64))] = time.monotonic()
            except OSError:
                continue


class Flows:
    """A flow from each of some namespaces to each of some addresses, where an echo answers."""

    def __init__(self, sources: list[Namespace], targets: dict[str, Namespace]) -> None:
        self._echoes = [Echo(inside) for inside in targets.values()]
        self._flows = [Flow(source, target) for source in sources for target in targets]

    def stop(self) -> tuple[int, float]:
        """Stop, once; returns the packets lost and the longest gap of all flows."""
        flows, self._flows = self._flows, []
        ends = [flow.stop() for flow in flows]
        echoes, self._echoes = self._echoes, []
        for echo in echoes:
            echo.close()
        return sum(lost for lost, _ in ends), max((gap for _, gap in ends), default=0.0)
