"""The streams of a command as numbered channels: the messages of clients on WebSockets and of kubelets."""

from typing import Protocol

import aiohttp
from aiohttp import web

STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)
CLOSE = 255
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
BY_NAME = {"stdin": STDIN, "stdout": STDOUT, "stderr": STDERR, "error": ERROR, "resize": RESIZE}


class Channels(Protocol):
    """One end of the streams of a command."""

    async def receive(self) -> bytes | None:
        """Return the next message, its channel first; None at the end."""

    async def send(self, message: bytes) -> None:
        """Send a message."""

    async def close(self) -> None:
        """End."""


class ClientSocket:
    """A client that speaks WebSocket."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket

    async def receive(self) -> bytes | None:
        """Return the next message; None when the client left."""
        message = await self._socket.receive()
        return message.data if message.type is aiohttp.WSMsgType.BINARY else None

    async def send(self, message: bytes) -> None:
        """Send a message."""
        await self._socket.send_bytes(message)

    async def close(self) -> None:
        """Say goodbye."""
        await self._socket.close()


class KubeletSocket:
    """The kubelet."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def receive(self) -> bytes | None:
        """Return the next message; None when the command is over."""
        message = await self._socket.receive()
        return message.data if message.type is aiohttp.WSMsgType.BINARY else None

    async def send(self, message: bytes) -> None:
        """Send a message."""
        await self._socket.send_bytes(message)

    async def close(self) -> None:
        """Say goodbye."""
        await self._socket.close()
