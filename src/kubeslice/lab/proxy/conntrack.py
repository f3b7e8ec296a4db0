"""The kernel's connection table, over netlink: list UDP flows, delete some. Blocking; called from a thread.

Source: linux/netfilter/nfnetlink_conntrack.h. Messages are few and small, so the format is written out here.
"""

import contextlib
import socket
import struct
from collections.abc import Iterable, Iterator, Sequence

from kubeslice.lab.proxy.flows import Flow

NETLINK_NETFILTER = 12
CONNTRACK = 1 << 8
GET, DELETE = CONNTRACK | 1, CONNTRACK | 2
REQUEST, ACKNOWLEDGE, DUMP = 0x1, 0x4, 0x300
ERROR, DONE = 2, 3
NESTED = 0x8000
ORIGINAL, REPLY = 1, 2
TUPLE_IP, TUPLE_PROTOCOL = 1, 2
SOURCE, DESTINATION = 1, 2
NUMBER, SOURCE_PORT, DESTINATION_PORT = 1, 2, 3
HEADER = struct.Struct("=IHHII")
FAMILY = struct.pack("=BBH", socket.AF_INET, 0, 0)
TIMEOUT = 5.0


class Conntrack:
    """The table of the network namespace in which the object was made."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self._socket.bind((0, 0))
        self._socket.settimeout(TIMEOUT)

    def close(self) -> None:
        """Close the netlink socket."""
        self._socket.close()

    def udp(self) -> list[Flow]:
        """Return all UDP flows. Raises OSError."""
        self._socket.send(message(GET, REQUEST | DUMP, b""))
        found: list[Flow] = []
        while True:
            for kind, body in messages(self._socket.recv(1 << 17)):
                if kind == DONE:
                    return found
                if kind == ERROR:
                    _check(body)
                flow = parse(body[len(FAMILY) :])
                if flow is not None:
                    found.append(flow)

    def delete(self, flows: Iterable[Flow]) -> None:
        """Delete flows; one that ended by itself is no error. Raises OSError."""
        for flow in flows:
            self._socket.send(message(DELETE, REQUEST | ACKNOWLEDGE, original(flow)))
            for kind, body in messages(self._socket.recv(1 << 16)):
                if kind == ERROR:
                    with contextlib.suppress(FileNotFoundError):
                        _check(body)


def message(kind: int, flags: int, attributes: bytes) -> bytes:
    """Return one netlink message about IPv4 connections."""
    body = FAMILY + attributes
    return HEADER.pack(HEADER.size + len(body), kind, flags, 1, 0) + body


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Split what the kernel sent into (kind, body)."""
    while len(data) >= HEADER.size:
        length, kind = HEADER.unpack_from(data)[:2]
        yield kind, data[HEADER.size : length]
        data = data[(length + 3) & ~3 :]


def parse(attributes: bytes) -> Flow | None:
    """Read one connection, None when it is not UDP."""
    tops = dict(_attributes(attributes))
    asked, answer = _tuple(tops.get(ORIGINAL, b"")), _tuple(tops.get(REPLY, b""))
    if asked is None or answer is None:
        return None
    return Flow(source=asked[0], asked=asked[1], answered_by=answer[0])


def original(flow: Flow) -> bytes:
    """Return the attribute that identifies a connection: the tuple as the client sent it."""
    addresses = _attribute(SOURCE, socket.inet_aton(flow.source[0])) + _attribute(
        DESTINATION, socket.inet_aton(flow.asked[0])
    )
    ports = (
        _attribute(NUMBER, bytes([socket.IPPROTO_UDP]))
        + _attribute(SOURCE_PORT, struct.pack("!H", flow.source[1]))
        + _attribute(DESTINATION_PORT, struct.pack("!H", flow.asked[1]))
    )
    inner = _attribute(TUPLE_IP | NESTED, addresses) + _attribute(TUPLE_PROTOCOL | NESTED, ports)
    return _attribute(ORIGINAL | NESTED, inner)


def _tuple(data: bytes) -> Sequence[tuple[str, int]] | None:
    parts = dict(_attributes(data))
    addresses, protocol = dict(_attributes(parts.get(TUPLE_IP, b""))), dict(_attributes(parts.get(TUPLE_PROTOCOL, b"")))
    if protocol.get(NUMBER, b"\0")[0] != socket.IPPROTO_UDP or SOURCE not in addresses:
        return None
    return (
        (socket.inet_ntoa(addresses[SOURCE]), _port(protocol[SOURCE_PORT])),
        (socket.inet_ntoa(addresses[DESTINATION]), _port(protocol[DESTINATION_PORT])),
    )


def _port(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4:
            return
        yield kind & 0x3FFF, data[4:length]
        data = data[(length + 3) & ~3 :]


def _check(body: bytes) -> None:
    code = -struct.unpack_from("=i", body)[0]
    if code:
        raise OSError(code, f"conntrack: error {code}")
