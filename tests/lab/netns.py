"""A node with two pods and a machine outside, as network namespaces that live as long as one test."""

import asyncio
import contextlib
import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
CLONE_NEWNET = 0x40000000
NODE_IP, OUTSIDE_IP = "192.0.2.1", "192.0.2.2"
POD_A, POD_B = "10.244.1.2", "10.244.2.2"


def sh(line: str) -> str:
    return subprocess.run(line.split(), check=True, capture_output=True, text=True).stdout


class Net:
    """Namespaces `node`, `a`, `b` and `outside`, joined through the node."""

    def __init__(self) -> None:
        self._prefix = f"kst{os.getpid()}"
        for name in ("node", "a", "b", "outside"):
            sh(f"ip netns add {self._prefix}{name}")
            sh(f"ip -n {self._prefix}{name} link set lo up")
        self._join("a", f"{POD_A}/24", "10.244.1.1/24")
        self._join("b", f"{POD_B}/24", "10.244.2.1/24")
        self._join("outside", f"{OUTSIDE_IP}/24", f"{NODE_IP}/24")
        sh(f"ip -n {self._prefix}node route add default via {OUTSIDE_IP}")
        sh(f"ip netns exec {self._prefix}node sysctl -qw net.ipv4.ip_forward=1")

    def _join(self, name: str, address: str, gateway: str) -> None:
        node, inner = f"{self._prefix}node", f"{self._prefix}{name}"
        sh(f"ip -n {node} link add to-{name} type veth peer name eth0 netns {inner}")
        sh(f"ip -n {node} address add {gateway} dev to-{name}")
        sh(f"ip -n {node} link set to-{name} up")
        sh(f"ip -n {inner} address add {address} dev eth0")
        sh(f"ip -n {inner} link set eth0 up")
        if name != "outside":
            sh(f"ip -n {inner} route add default via {gateway.partition('/')[0]}")

    def remove(self) -> None:
        for name in ("node", "a", "b", "outside"):
            sh(f"ip netns delete {self._prefix}{name}")

    def inside(self, name: str, work: Callable[[], T]) -> T:
        """Run `work` in a thread of its own that is in the namespace."""

        def enter() -> T:
            with Path(f"/run/netns/{self._prefix}{name}").open() as handle:
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.setns(handle.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            return work()

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(enter).result()

    def run(self, name: str, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.inside(name, lambda: asyncio.run(coroutine))

    def open_socket(self, name: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        made = self.inside(name, lambda: socket.socket(socket.AF_INET, kind))
        made.settimeout(1)
        return made

    @contextlib.contextmanager
    def serve(self, name: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> Iterator[None]:
        """Answer everybody with the name of the namespace and the address they seem to come from."""
        server = self.open_socket(name, kind)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("0.0.0.0", port))
        server.settimeout(0.05)
        stop = threading.Event()
        answer = _answer_tcp if kind == socket.SOCK_STREAM else _answer_udp
        if kind == socket.SOCK_STREAM:
            server.listen()
        thread = threading.Thread(target=answer, args=(server, name, stop))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            server.close()

    def ask(self, name: str, address: str, port: int) -> list[str]:
        """Connect and return what the server says: its name and our address as it sees it."""
        with self.open_socket(name) as client:
            client.connect((address, port))
            return client.recv(100).decode().split()


def _answer_tcp(server: socket.socket, name: str, stop: threading.Event) -> None:
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            connection, peer = server.accept()
            with connection:
                connection.sendall(f"{name} {peer[0]}".encode())


def _answer_udp(server: socket.socket, name: str, stop: threading.Event) -> None:
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            _, peer = server.recvfrom(100)
            server.sendto(f"{name} {peer[0]}".encode(), peer)
