"""Throw-away network namespaces for kernel tests: nodes, pods and the wires between them, gone when the test ends."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kubeslice.linux import netns
from kubeslice.linux.commands import run
from kubeslice.linux.netns import Namespace

PROGRAMS = ("ip", "bridge", "nft", "nsenter")


class Kernel:
    """Namespaces of one test. `directory` stands for a node's /run/netns."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._open: list[Namespace] = []
        self.processes: list[subprocess.Popen[bytes]] = []

    def namespace(self) -> Namespace:
        """Make a namespace with a loopback that is up."""
        made = netns.anonymous()
        self._open.append(made)
        self.ip(made, "link set lo up")
        return made

    def ip(self, namespace: Namespace, *lines: str, peer: Namespace | None = None) -> str:
        """Run lines of `ip` in a namespace; `{peer}` in a line is the path of another namespace."""
        text = "".join(f"{line.format(peer=peer.path if peer else '')}\n" for line in lines)
        descriptors = [peer.descriptor] if peer else []
        return run(["ip", "-batch", "-"], text=text, namespace=namespace, descriptors=descriptors)

    def wire(self, one: Namespace, other: Namespace, name: str, addresses: tuple[str, str]) -> None:
        """Connect two namespaces with a veth pair of one name and two addresses."""
        self.ip(one, f"link add {name} type veth peer name {name} netns {{peer}}", peer=other)
        for namespace, address in zip((one, other), addresses, strict=True):
            self.ip(namespace, f"address add {address} dev {name}", f"link set {name} up")

    def process(self, namespace: Namespace, *command: str) -> subprocess.Popen[bytes]:
        """Start a program in a namespace; it ends with the test."""
        with netns.inside(namespace):
            started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(started)
        return started

    def pings(self, namespace: Namespace, target: str, *, seconds: float = 1.0, source: str = "") -> bool:
        """Tell whether `target` answers an echo request within some seconds, however often a way is refused before."""
        command = ["ping", "-n", "-q", "-c", "1", "-W", "0.2", *(["-I", source] if source else []), target]
        with netns.inside(namespace):
            began = time.monotonic()
            while subprocess.run(command, capture_output=True, check=False).returncode != 0:
                if time.monotonic() - began >= seconds:
                    return False
                time.sleep(0.02)
        return True

    def close(self) -> None:
        """End everything."""
        for process in self.processes:
            process.kill()
            process.wait()
        for path in self.directory.iterdir() if self.directory.is_dir() else []:
            netns.release(path)
        for namespace in self._open:
            namespace.close()


@contextmanager
def a_kernel(directory: Path) -> Iterator[Kernel]:
    """Give a test its namespaces, or skip it where there are no rights or programs to make them."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"needs root and {', '.join(missing) or 'nothing else'}")
    kernel = Kernel(directory)
    try:
        yield kernel
    finally:
        kernel.close()


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """Yield a fresh `Kernel`."""
    with a_kernel(tmp_path / "netns") as made:
        yield made
