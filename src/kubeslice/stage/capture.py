"""A capture on the WAN of a stage: what crosses it, as an observer in the middle has it."""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from kubeslice.lab.topology import POD_NETWORK
from kubeslice.stage import places, wire
from kubeslice.stage.stage import Stage

SETTLE = 0.2
NODE_NETWORKS = "172.31.0.0/16"


def marker() -> str:
    """Return a text that occurs nowhere else."""
    return f"marker-{secrets.token_hex(12)}"


class Capture:
    """Everything that crossed the WAN while it was open, and matched."""

    def __init__(self) -> None:
        self.pcap = b""

    def packets(self) -> Iterator[bytes]:
        """Yield the IP packets."""
        return wire.packets(self.pcap)


@asynccontextmanager
async def capture(expression: str) -> AsyncIterator[Capture]:
    """Capture on the WAN what matches a tcpdump expression while the body runs."""
    seen = Capture()
    # In immediate mode each packet takes a whole snapshot length of the kernel's buffer: with the default of 256 KiB
    # there is room for eight packets, and a burst loses the one we look for.
    room = ["-s", "2048", "-B", "16384"]
    command = ["tcpdump", "--immediate-mode", "-i", "any", "-n", "-U", *room, "-w", "-", expression]
    process = await places.spawn("wan", command)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        await _listening(process.stderr)
        reader = asyncio.create_task(process.stdout.read())
        yield seen
        await asyncio.sleep(SETTLE)
        places.end(process)
        seen.pcap = await reader
    finally:
        if process.returncode is None:
            places.end(process, signal.SIGKILL)
        await process.communicate()


def between_clusters(stage: Stage) -> str:
    """Return the tcpdump expression for what crosses from one cluster's LAN to another's.

    What a port of a node passes on to a pod of another node stays on the LAN, although its sender may be elsewhere.
    """
    inside = [f"(src net {one.network} and dst net {one.network})" for one in stage.topology.clusters]
    pods, nodes = f"net {POD_NETWORK}", f"net {NODE_NETWORKS}"
    inside += [f"(src {pods} and (dst {pods} or dst {nodes}))", f"(src {nodes} and dst {pods})"]
    return f"ip and not ({' or '.join(inside)})"


async def _listening(stderr: asyncio.StreamReader) -> None:
    async with asyncio.timeout(5):
        while line := await stderr.readline():
            if b"listening on" in line:
                return
        raise OSError("tcpdump did not start")
