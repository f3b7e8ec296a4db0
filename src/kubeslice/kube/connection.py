"""One HTTP/1.1 connection to an API server: asyncio moves the bytes, h11 knows the protocol.

Measured against the client libraries at hand: an import of 21 ms instead of 99-167 ms of CPU, which every gateway,
router and agent process pays at its start (docs/decisions/0002-http-client.md).
"""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Self

import h11

from kubeslice.kube.config import Connection
from kubeslice.kube.requests import Request

CONNECT_TIMEOUT = 5.0
READ_SIZE = 65536
KEEPALIVE = ((socket.TCP_KEEPIDLE, 10), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3))


@dataclass
class Traffic:
    """Bytes of HTTP that went to and came from a server, before encryption, by the collection they were about."""

    sent: Counter[str] = field(default_factory=Counter)
    received: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Response:
    """Status code and whole body."""

    status: int
    body: bytes


class Wire:
    """A connection that carries one exchange after another. Not for concurrent use."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, traffic: Traffic) -> None:
        self._reader = reader
        self._writer = writer
        self._traffic = traffic
        self._http = h11.Connection(h11.CLIENT)
        self._collection = ""
        self.answered = False

    @classmethod
    async def open(cls, to: Connection, traffic: Traffic) -> Self:
        """Connect, verify the server's certificate, and switch TCP keep-alive on. Raises OSError or TimeoutError.

        What goes over the connection is added to `traffic`.
        """
        async with asyncio.timeout(CONNECT_TIMEOUT):
            name = (to.server_name or to.host) if to.tls else None
            reader, writer = await asyncio.open_connection(to.host, to.port, ssl=to.tls, server_hostname=name)
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEPALIVE:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
        return cls(reader, writer, traffic)

    @property
    def is_reusable(self) -> bool:
        """Tell whether another exchange may follow."""
        return self._http.our_state is h11.IDLE and not self._reader.at_eof() and not self._writer.is_closing()

    async def exchange(self, request: Request, headers: list[tuple[str, str]]) -> Response:
        """Send a request and read the whole answer."""
        status = await self.start(request, headers)
        body = b"".join([chunk async for chunk in self.chunks()])
        return Response(status, body)

    async def start(self, request: Request, headers: list[tuple[str, str]]) -> int:
        """Send a request and return the status of the answer, whose body `chunks` then yields."""
        self.answered, self._collection = False, request.collection
        content = [("content-length", str(len(request.body)))] if request.method != "GET" else []
        message = h11.Request(method=request.method, target=request.target, headers=[*headers, *content])
        out = self._http.send(message) or b""
        if request.body:
            out += self._http.send(h11.Data(data=request.body)) or b""
        out += self._http.send(h11.EndOfMessage()) or b""
        self._traffic.sent[self._collection] += len(out)
        self._writer.write(out)
        await self._writer.drain()
        while True:
            event = await self._next_event()
            if isinstance(event, h11.Response):
                return event.status_code

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; afterwards the connection may carry the next exchange."""
        while True:
            event = await self._next_event()
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                break
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()

    async def _next_event(self) -> h11.Event:
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                data = await self._reader.read(READ_SIZE)
                self._traffic.received[self._collection] += len(data)
                self.answered = self.answered or bool(data)
                self._http.receive_data(data)
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionResetError("the server closed the connection")
            elif isinstance(event, h11.Event):
                return event

    def close(self) -> None:
        """Drop the connection without ceremony."""
        with contextlib.suppress(Exception):
            self._writer.transport.abort()
