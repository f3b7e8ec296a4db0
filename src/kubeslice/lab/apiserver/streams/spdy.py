"""SPDY/3.1 frames, as far as Kubernetes streams use them; pure, no I/O. `spdychannels` speaks with clients in these.

Source: the SPDY protocol, draft 3.1 (https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/).
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow"
    " authorization cache-control connection content-base content-encoding content-language content-length"
    " content-location content-md5 content-range content-type date etag expect expires from host if-match"
    " if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma"
    " proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade"
    " user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie"
    " keep-alive origin"
)
_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
DICTIONARY = (
    b"".join(struct.pack(">I", len(word)) + word.replace("_", " ").encode() for word in _WORDS.split()) + _TAIL.encode()
)
_VERSION = 3
_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _PING, _GOAWAY, _HEADERS = 1, 2, 3, 6, 7, 8
_FIN = 0x01
_LARGEST = 1 << 20


class SpdyError(ValueError):
    """The other side does not speak SPDY/3.1."""


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """The other side opened a stream."""

    stream: int
    headers: Mapping[str, str]
    is_final: bool


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes on a stream; with `is_final` the last ones."""

    stream: int
    body: bytes
    is_final: bool


@dataclass(frozen=True, slots=True)
class StreamReset:
    """The other side gave up a stream."""

    stream: int


@dataclass(frozen=True, slots=True)
class Ping:
    """A question that is answered with itself."""

    number: int


@dataclass(frozen=True, slots=True)
class GoAway:
    """The other side will open no more streams."""


Frame = StreamOpened | Data | StreamReset | Ping | GoAway


class Decoder:
    """Turns the bytes of one side of a connection into frames; the compression state lasts as long as that."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take bytes as they come and yield the frames that are complete. Raises `SpdyError`."""
        self._buffer += data
        while len(self._buffer) >= 8:
            first, second = struct.unpack_from(">II", self._buffer)
            flags, length = second >> 24, second & 0xFFFFFF
            if length > _LARGEST:
                raise SpdyError(f"a frame of {length} bytes is too large")
            if len(self._buffer) < 8 + length:
                return
            body = bytes(self._buffer[8 : 8 + length])
            del self._buffer[: 8 + length]
            frame = self._control(first, flags, body) if first >> 31 else Data(first, body, bool(flags & _FIN))
            if frame is not None:
                yield frame

    def _control(self, first: int, flags: int, body: bytes) -> Frame | None:
        if (first >> 16) & 0x7FFF != _VERSION:
            raise SpdyError("only SPDY/3.1 is spoken here")
        try:
            return self._parsed(first & 0xFFFF, flags, body)
        except (struct.error, zlib.error, UnicodeDecodeError) as error:
            raise SpdyError(f"a control frame is not well formed: {error}") from error

    def _parsed(self, kind: int, flags: int, body: bytes) -> Frame | None:
        if kind == _SYN_STREAM:
            return StreamOpened(_stream(body), self._headers(body[10:]), bool(flags & _FIN))
        if kind in (_SYN_REPLY, _HEADERS):
            self._headers(body[4:])
            return None
        if kind == _RST_STREAM:
            return StreamReset(_stream(body))
        if kind == _PING:
            return Ping(struct.unpack(">I", body)[0])
        return GoAway() if kind == _GOAWAY else None

    def _headers(self, block: bytes) -> dict[str, str]:
        data = self._inflate.decompress(block)
        (count,) = struct.unpack_from(">I", data)
        position, headers = 4, {}
        for _ in range(count):
            name, position = _text(data, position)
            headers[name.lower()], position = _text(data, position)
        return headers


def _stream(body: bytes) -> int:
    number: int = struct.unpack_from(">I", body)[0] & 0x7FFFFFFF
    return number


def _text(data: bytes, position: int) -> tuple[str, int]:
    (length,) = struct.unpack_from(">I", data, position)
    start = position + 4
    return data[start : start + length].decode(), start + length


class Encoder:
    """Makes the bytes of one side of a connection."""

    def __init__(self) -> None:
        self._deflate: Any = zlib.compressobj(level=9, zdict=DICTIONARY)

    def open(self, stream: int, headers: Mapping[str, str]) -> bytes:
        """Return the frame that opens a stream."""
        return _control(_SYN_STREAM, 0, struct.pack(">IIH", stream, 0, 0) + self._compressed(headers))

    def reply(self, stream: int) -> bytes:
        """Return the frame that accepts a stream."""
        return _control(_SYN_REPLY, 0, struct.pack(">I", stream) + self._compressed({}))

    def _compressed(self, headers: Mapping[str, str]) -> bytes:
        parts = [struct.pack(">I", len(headers))]
        for name, value in headers.items():
            for text in (name.encode(), value.encode()):
                parts += [struct.pack(">I", len(text)), text]
        packed: bytes = self._deflate.compress(b"".join(parts)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return packed


def data(stream: int, body: bytes, *, is_final: bool = False) -> bytes:
    """Return a frame with bytes of a stream."""
    return struct.pack(">II", stream, (_FIN if is_final else 0) << 24 | len(body)) + body


def pong(number: int) -> bytes:
    """Return the answer to a ping."""
    return _control(_PING, 0, struct.pack(">I", number))


def _control(kind: int, flags: int, body: bytes) -> bytes:
    return struct.pack(">II", 1 << 31 | _VERSION << 16 | kind, flags << 24 | len(body)) + body
