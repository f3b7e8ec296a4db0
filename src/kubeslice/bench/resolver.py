"""`Resolver`: asks a name server from inside a node's network, over one socket and without starting programs.

What `export` measures takes milliseconds; starting a program for each question would take the processors from it.
"""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from dnslib import DNSRecord

from kubeslice.lab import client
from kubeslice.linux import netns
from kubeslice.linux.netns import Namespace
from kubeslice.stage import places

PORT = 53
ANSWER_WITHIN = 0.05
PAUSE = 0.005


class Resolver:
    """A connected UDP socket to a name server. `close` it."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    @classmethod
    async def at(cls, node: str, server: str) -> Self:
        """Open a socket on `node` to the name server at address `server`."""
        return cls(await asyncio.to_thread(_connected, node, server))

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    async def until_known(self, name: str) -> None:
        """Ask until `name` has an IPv4 address."""
        while not await self._has_address(name):  # noqa: ASYNC110 - another process changes what we wait for
            await asyncio.sleep(PAUSE)

    async def _has_address(self, name: str) -> bool:
        question = DNSRecord.question(name, "A")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await loop.sock_sendall(self._socket, question.pack())
                while True:
                    answer = DNSRecord.parse(await loop.sock_recv(self._socket, 4096))
                    if answer.header.id == question.header.id:
                        return bool(answer.rr)
        except OSError:  # no answer in time, or nobody listens; TimeoutError is one of them
            return False


def _connected(node: str, server: str) -> socket.socket:
    with _network(node) as namespace, netns.inside(namespace):
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setblocking(False)
    opened.connect((server, PORT))
    return opened


@contextmanager
def _network(node: str) -> Iterator[Namespace]:
    answer, descriptors = client.ask(places.lab(), "enter", target=node)
    try:
        yield Namespace(dict(zip(answer["kinds"], descriptors, strict=True))["net"])
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
