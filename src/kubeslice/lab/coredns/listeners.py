"""UDP and TCP sockets of the DNS server, and the HTTP answers of the health and ready plugins."""

import asyncio
import contextlib
import struct
from collections.abc import Awaitable, Callable
from typing import cast

IDLE = 10.0
EVERYWHERE = "0.0.0.0"  # noqa: S104 - a name server is there for everybody

Answer = Callable[[bytes, bool], Awaitable[bytes | None]]
Address = tuple[str, int]


class Listener:
    """One port, over UDP and TCP."""

    def __init__(self, transport: asyncio.DatagramTransport, server: asyncio.Server) -> None:
        self._transport = transport
        self._server = server

    def close(self) -> None:
        """Stop listening."""
        self._transport.close()
        self._server.close()


async def listen(port: int, answer: Answer, host: str = EVERYWHERE) -> Listener:
    """Answer queries on a port with `answer(message, over_tcp)`. Raises OSError when the port is taken."""
    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(lambda reader, writer: _serve_tcp(reader, writer, answer), host, port)
    bound = server.sockets[0].getsockname()[1]
    transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(answer), local_addr=(host, bound))
    return Listener(transport, server)


async def check(port: int, is_well: Callable[[], bool], host: str = EVERYWHERE) -> asyncio.Server:
    """Answer HTTP requests with 200 while `is_well` holds, with 503 otherwise."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(IDLE):
                await reader.readuntil(b"\r\n\r\n")
                status, body = ("200 OK", "OK") if is_well() else ("503 Service Unavailable", "not ready")
                head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                writer.write((head + body).encode())
                await writer.drain()
        writer.close()

    return await asyncio.start_server(serve, host, port)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        task = asyncio.get_running_loop().create_task(self._reply(data, addr))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, data: bytes, addr: Address) -> None:
        reply = await self._answer(data, False)
        if reply is not None and self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(reply, addr)


async def _serve_tcp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer) -> None:
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        while True:
            async with asyncio.timeout(IDLE):
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                reply = await answer(await reader.readexactly(length), True)
                if reply is None:
                    break
                writer.write(struct.pack("!H", len(reply)) + reply)
                await writer.drain()
    writer.close()
