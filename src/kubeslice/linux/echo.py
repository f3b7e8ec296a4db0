"""ICMP echo requests over one raw socket (RFC 792), for asyncio: sent without waiting, answers reported by callback.

A request leaves through the interface it is meant for, whatever the routes say (IP_PKTINFO, ip(7)); its answer may come
back through another. A whole one is never cut into fragments, whatever is known about the path (IP_PMTUDISC_PROBE).
"""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Callable
from ipaddress import IPv4Address

_ECHO_REPLY, _ECHO_REQUEST = 0, 8
_IP_PKTINFO, _IP_MTU_DISCOVER, _IP_PMTUDISC_PROBE = 8, 10, 3
_HEADERS = 28
ANY = IPv4Address(0)
Answer = Callable[[IPv4Address, int], None]


class Echo:
    """Sends echo requests from one address. `answer` gets the sender and the number of each reply to us.

    Where there are several in one namespace, each has its own `lane`.
    """

    def __init__(self, source: IPv4Address, answer: Answer, *, lane: int = 0, is_whole: bool = False) -> None:
        self._identity = (os.getpid() + (lane << 14)) & 0xFFFF
        self._source = source
        self._answer = answer
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.IPPROTO_ICMP)
        try:
            if is_whole:
                self._socket.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_PROBE)
            self._socket.bind((str(source), 0))
        except OSError:
            self._socket.close()
            raise
        asyncio.get_running_loop().add_reader(self._socket, self._readable)

    def send(self, target: IPv4Address, number: int, device: str = "", size: int = 52) -> None:
        """Send request `number`, a packet of `size` bytes, through an interface or where the routes lead.

        A network that refuses it is one that loses it.
        """
        with contextlib.suppress(OSError):
            control = []
            if device:
                way = struct.pack("I4s4s", socket.if_nametoindex(device), self._source.packed, bytes(4))
                control = [(socket.IPPROTO_IP, _IP_PKTINFO, way)]
            request = packet(self._identity, number, bytes(size - _HEADERS))
            self._socket.sendmsg([request], control, 0, (str(target), 0))

    def close(self) -> None:
        """Stop listening."""
        if self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()

    def _readable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                data, (sender, _) = self._socket.recvfrom(2048)
                header = (data[0] & 0x0F) * 4
                if len(data) < header + 8:
                    continue
                kind, _, _, identity, number = struct.unpack_from("!BBHHH", data, header)
                if kind == _ECHO_REPLY and identity == self._identity:
                    self._answer(IPv4Address(sender), number)


def packet(identity: int, number: int, payload: bytes = bytes(24)) -> bytes:
    """Return an echo request with its checksum (RFC 1071)."""
    body = struct.pack("!BBHHH", _ECHO_REQUEST, 0, 0, identity, number) + payload
    even = body + bytes(len(body) % 2)
    total = sum(struct.unpack(f"!{len(even) // 2}H", even))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return body[:2] + struct.pack("!H", ~total & 0xFFFF) + body[4:]
