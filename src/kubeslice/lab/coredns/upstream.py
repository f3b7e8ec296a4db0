"""Asking other DNS servers: the query goes on as it came, only its number changes (the forward plugin).

A client that asked over UDP is asked for over UDP, one over TCP over TCP, as CoreDNS does it.
"""

import asyncio
import contextlib
import itertools
import logging
import random
import secrets
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

log = logging.getLogger(__name__)

TIMEOUT = 2.0
DEADLINE = 5.0
RESOLV_CONF = Path("/etc/resolv.conf")


class NoAnswer(Exception):
    """No server answered in time."""


class Upstream:
    """One server. Its UDP socket is opened when first needed."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._pending: dict[int, asyncio.Future[bytes]] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._opening = asyncio.Lock()

    async def ask(self, query: bytes, *, over_tcp: bool) -> bytes:
        """Return the answer to a query. Raises OSError or TimeoutError."""
        async with asyncio.timeout(TIMEOUT):
            answer = await (self._over_tcp(query) if over_tcp else self._over_udp(query))
        return query[:2] + answer[2:]

    def close(self) -> None:
        """Close the socket and fail what still waits."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        self._fail(ConnectionAbortedError("the server is no longer in the Corefile"))

    async def _over_udp(self, query: bytes) -> bytes:
        transport = await self._open()
        number = secrets.randbelow(1 << 16)
        while number in self._pending:
            number = secrets.randbelow(1 << 16)
        waiting = asyncio.get_running_loop().create_future()
        self._pending[number] = waiting
        try:
            transport.sendto(struct.pack("!H", number) + query[2:])
            answer: bytes = await waiting
        finally:
            del self._pending[number]
        return answer

    async def _over_tcp(self, query: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            writer.write(struct.pack("!H", len(query)) + query)
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            return await reader.readexactly(length)
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError("the server closed the connection early") from error
        finally:
            writer.close()

    async def _open(self) -> asyncio.DatagramTransport:
        async with self._opening:
            if self._transport is None:
                loop = asyncio.get_running_loop()
                self._transport, _ = await loop.create_datagram_endpoint(
                    lambda: _Answers(self._pending, self._fail), remote_addr=(self.host, self.port)
                )
            return self._transport

    def _fail(self, error: Exception) -> None:
        for waiting in self._pending.values():
            if not waiting.done():
                waiting.set_exception(error)


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, pending: dict[int, asyncio.Future[bytes]], fail: Callable[[Exception], None]) -> None:
        self._pending = pending
        self._fail = fail

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - connected to one address
        if len(data) < 12:
            return
        waiting = self._pending.get(struct.unpack_from("!H", data)[0])
        if waiting is not None and not waiting.done():
            waiting.set_result(data)

    def error_received(self, exc: Exception) -> None:
        self._fail(exc)


class Upstreams:
    """The servers of one `forward`, tried in turn until one answers."""

    def __init__(self, targets: Sequence[str], policy: str, *, force_tcp: bool) -> None:
        self._servers = [Upstream(*address) for target in targets for address in addresses(target)]
        self._policy = policy
        self._force_tcp = force_tcp
        self._turn = itertools.count()

    async def ask(self, query: bytes, *, over_tcp: bool) -> bytes:
        """Return the first answer. Raises `NoAnswer`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DEADLINE):
                for server in self._order():
                    try:
                        return await server.ask(query, over_tcp=over_tcp or self._force_tcp)
                    except (OSError, TimeoutError) as error:
                        log.warning("%s:%d: %s", server.host, server.port, error or "no answer in time")
        raise NoAnswer

    def close(self) -> None:
        """Close all sockets."""
        for server in self._servers:
            server.close()

    def _order(self) -> list[Upstream]:
        if self._policy == "random":
            return random.sample(self._servers, len(self._servers))
        start = next(self._turn) % len(self._servers) if self._servers and self._policy == "round_robin" else 0
        return self._servers[start:] + self._servers[:start]


def addresses(target: str, resolv_conf: Path = RESOLV_CONF) -> list[tuple[str, int]]:
    """Return host and port of a target: `10.96.0.5`, `10.96.0.5:5353`, `[fd00::5]:53`, or a file like resolv.conf."""
    if target.startswith("/"):
        return _nameservers(Path(target) if target != str(RESOLV_CONF) else resolv_conf)
    if target.startswith("["):
        host, _, port = target[1:].partition("]")
        return [(host, int(port.removeprefix(":") or 53))]
    host, colon, port = target.partition(":")
    return [(host, int(port))] if colon and ":" not in port else [(target if colon else host, 53)]


def _nameservers(path: Path) -> list[tuple[str, int]]:
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        log.warning("%s: %s", path, error)
        return []
    words = [line.split() for line in lines]
    return [(found[1], 53) for found in words if len(found) > 1 and found[0] == "nameserver"]
