"""A capture on the WAN, and the search for a marker in what it saw."""

import asyncio
import secrets
import signal
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from kubeslice.demo.findings import Traffic
from kubeslice.stage import places

PCAP_HEADER = 24
RECORD_HEADER = 16
SETTLE = 0.2


def marker() -> str:
    """Return a text that occurs nowhere else."""
    return f"marker-{secrets.token_hex(12)}"


class Capture:
    """Everything that crossed the WAN while it was open."""

    def __init__(self) -> None:
        self.pcap = b""

    def search(self, text: str) -> Traffic:
        """Count packets, their bytes, and those that carry `text` in the clear."""
        packets = list(frames(self.pcap))
        readable = sum(text.encode() in packet for packet in packets)
        return Traffic(len(packets), sum(map(len, packets)), readable)


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


async def _listening(stderr: asyncio.StreamReader) -> None:
    async with asyncio.timeout(5):
        while b"listening on" not in await stderr.readline():
            continue


def frames(pcap: bytes) -> Iterator[bytes]:
    """Yield the packets of a capture file (pcap, the machine's byte order)."""
    offset = PCAP_HEADER
    while offset + RECORD_HEADER <= len(pcap):
        (length,) = struct.unpack_from("=I", pcap, offset + 8)
        yield pcap[offset + RECORD_HEADER : offset + RECORD_HEADER + length]
        offset += RECORD_HEADER + length
