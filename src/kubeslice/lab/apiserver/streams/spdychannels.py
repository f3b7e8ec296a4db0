"""A client of `exec` that speaks SPDY/3.1 (kubectl before 1.30, and as fallback later): its streams as channels.

The client opens one stream for each of error, stdin, stdout, stderr and resize. The connection is taken over from the
HTTP server after the 101 answer.
"""

import asyncio
from collections.abc import Mapping

from aiohttp import web

from kubeslice.lab.apiserver.streams import spdy
from kubeslice.lab.apiserver.streams.channels import BY_NAME, CLOSE, ERROR

_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io")
_OPENING_SECONDS = 30.0
_CLOSING_SECONDS = 2.0
_CHUNK = 1 << 16


class _Tap:
    """Receives the bytes of the connection in place of the HTTP parser."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[bytes] = asyncio.Queue()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.received.put_nowait(bytes(data))
        return False, b""

    def feed_eof(self) -> None:
        self.received.put_nowait(b"")

    def set_exception(self, *_: object) -> None:
        self.received.put_nowait(b"")


class SpdyClient:
    """The streams of one client; made by `accept`."""

    def __init__(self, response: web.StreamResponse, tap: _Tap) -> None:
        self.response = response
        self._tap = tap
        self._decoder = spdy.Decoder()
        self._encoder = spdy.Encoder()
        self._channels: dict[int, int] = {}
        self._streams: dict[int, int] = {}
        self._messages: list[bytes] = []
        self._is_over = False

    async def opened(self, wanted: frozenset[int]) -> bool:
        """Wait until the client has opened the streams of these channels; False when it left instead."""
        try:
            async with asyncio.timeout(_OPENING_SECONDS):
                while not wanted <= self._streams.keys() and not self._is_over:
                    await self._read()
        except TimeoutError:
            return False
        return not self._is_over

    async def _read(self) -> None:
        data = await self._tap.received.get()
        if not data:
            self._is_over = True
            return
        for frame in self._decoder.feed(data):
            await self._take(frame)

    async def _take(self, frame: spdy.Frame) -> None:
        match frame:
            case spdy.StreamOpened(stream, headers):
                await self._open(stream, headers)
            case spdy.Data(stream, body, is_final):
                channel = self._channels.get(stream)
                if channel is not None:
                    self._messages += [bytes([channel]) + body] if body else []
                    self._messages += [bytes([CLOSE, channel])] if is_final else []
            case spdy.Ping(number):
                await self.response.write(spdy.pong(number))
            case spdy.GoAway():
                self._is_over = True
            case spdy.StreamReset():
                return

    async def _open(self, stream: int, headers: Mapping[str, str]) -> None:
        channel = BY_NAME.get(headers.get("streamtype", ""))
        if channel is not None:
            self._channels[stream], self._streams[channel] = channel, stream
        await self.response.write(self._encoder.reply(stream))

    async def receive(self) -> bytes | None:
        """Return the next message; None when the client left."""
        while not self._messages:
            if self._is_over:
                return None
            await self._read()
        return self._messages.pop(0)

    async def send(self, message: bytes) -> None:
        """Send a message as data of the stream of its channel."""
        stream = self._streams.get(message[0])
        if stream is None:
            return
        for start in range(1, len(message), _CHUNK):
            await self.response.write(spdy.data(stream, message[start : start + _CHUNK]))

    async def close(self) -> None:
        """End all streams, the error stream last, and give the client time to hang up first."""
        for channel, stream in sorted(self._streams.items(), key=lambda item: item[0] == ERROR):
            if channel in (1, 2, ERROR):
                await self.response.write(spdy.data(stream, b"", is_final=True))
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                while not self._is_over:
                    await self._read()
        except (TimeoutError, ConnectionError):
            return


def is_spdy(http: web.BaseRequest) -> bool:
    """Whether a request asks for SPDY."""
    return http.headers.get("Upgrade", "").lower() == "spdy/3.1"


async def accept(http: web.BaseRequest) -> SpdyClient:
    """Switch the connection of a request to SPDY."""
    offered = http.headers.getall("X-Stream-Protocol-Version", ["v4.channel.k8s.io"])
    names = [name.strip() for value in offered for name in value.split(",")]
    chosen = next((name for name in _PROTOCOLS if name in names), _PROTOCOLS[1])
    headers = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": chosen}
    tap = _Tap()
    http.protocol.set_parser(tap)  # type: ignore[arg-type]
    response = web.StreamResponse(status=101, headers=headers)
    response.force_close()
    await response.prepare(http)
    return SpdyClient(response, tap)
