"""Packets on the WAN are told apart by their bytes; what has no business there is found."""

import struct
from ipaddress import IPv4Address

import pytest

from kubeslice.stage import wire
from kubeslice.stage.observer import Observed
from kubeslice.stage.wire import ICMP, TCP, UDP, Known

KNOWN = Known({31000: "WireGuard", 31001: "OpenVPN"}, (b"marker-1",))
DATA = b"\x04\0\0\0" + bytes(92)
INITIATION = b"\x01\0\0\0" + bytes(144)


def packet(protocol: int, payload: bytes, ports: tuple[int, int] = (0, 0), offset: int = 0) -> bytes:
    """Return an IPv4 packet."""
    head = {UDP: struct.pack("!HHHH", *ports, 8 + len(payload), 0), ICMP: b""}.get(protocol)
    if head is None:
        head = struct.pack("!HHIIBBHHH", *ports, 0, 0, 0x50, 0, 0, 0, 0)
    total = 20 + len(head) + len(payload)
    addresses = IPv4Address("172.31.1.11").packed + IPv4Address("172.31.2.11").packed
    return struct.pack("!BBHHHBBH", 0x45, 0, total, 0, offset, 64, protocol, 0) + addresses + head + payload


QUOTED = packet(UDP, b"", (51820, 31000))
EXPECTED = [
    (packet(UDP, DATA, (40000, 31000)), "WireGuard"),
    (packet(UDP, DATA, (31000, 40000)), "WireGuard"),
    (packet(UDP, INITIATION, (40000, 31000)), "WireGuard"),
    (packet(UDP, INITIATION + b"\0", (40000, 31000)), ""),
    (packet(UDP, b"\x04\0\0\0" + bytes(93), (40000, 31000)), ""),
    (packet(UDP, b"\x04\0\0\0" + bytes(1448), (40000, 31000)), "WireGuard"),
    (packet(UDP, DATA, (40000, 32000)), ""),
    (packet(UDP, b"hello" * 20, (40000, 31000)), ""),
    (packet(TCP, DATA, (40000, 31000)), ""),
    (packet(UDP, b"\x48\0\0\0" + bytes(60), (40000, 31001)), "OpenVPN"),
    (packet(UDP, b"\x01" + bytes(60), (40000, 31001)), ""),
    (packet(TCP, bytes(60), (40000, 31001)), "OpenVPN"),
    (packet(TCP, b"\x16\x03\x01", (40000, 6443)), "Kubernetes API"),
    (packet(TCP, b"GET /", (40000, 80)), ""),
    (packet(UDP, DATA, (40000, 31000), offset=8), ""),
    (packet(ICMP, b"\x03\x03" + bytes(6) + QUOTED), "ICMP error"),
    (packet(ICMP, b"\x03\x03" + bytes(6) + packet(UDP, b"", (53, 54))), ""),
    (packet(ICMP, b"\x08\0\1\2\3\4\5\6" + bytes(60)), "path probe"),
    (packet(ICMP, b"\x08\0\1\2\3\4\5\6" + bytes(60) + b"x"), ""),
    (packet(ICMP, b"\x03\x04" + bytes(6) + packet(ICMP, b"\x08\0" + bytes(60))), "ICMP error"),
    (packet(ICMP, b"\x05\0" + bytes(60)), ""),
]


@pytest.mark.parametrize(("data", "kind"), EXPECTED)
def test_what_a_packet_is(data: bytes, kind: str) -> None:
    found = wire.parse(data)
    assert found is not None
    assert wire.kind(found, KNOWN) == kind


@pytest.mark.parametrize("text", [b"marker-1", b"HTTP/1.", b'"apiVersion"', b"Authorization: Bearer x"])
def test_what_can_be_read_is_found_wherever_it_is(text: bytes) -> None:
    seen = Observed()
    seen.take([packet(TCP, b"\x17\x03\x03" + text, (40000, 6443)), packet(UDP, DATA, (40000, 31000))], KNOWN)
    assert seen.readable == 1
    assert len(seen.findings) == 1
    assert "can be read" in seen.findings[0]
    assert dict(seen.kinds) == {"Kubernetes API": 1, "WireGuard": 1}


def test_what_is_not_ipv4_is_found() -> None:
    seen = Observed()
    seen.take([b"\x60" + bytes(60)], KNOWN)
    assert seen.findings == ["unknown: 60000000000000000000000000000000"]


def test_many_findings_are_told_by_a_few_examples() -> None:
    seen = Observed()
    seen.take([packet(UDP, b"x", (1, 2))] * 50, KNOWN)
    assert seen.kinds["unknown"] == 50
    assert len(seen.findings) < 10


@pytest.mark.parametrize(("link", "before"), wire.COOKED.items())
def test_a_capture_file_is_cut_into_packets(link: int, before: int) -> None:
    head = struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 2048, link)
    records = [struct.pack("=IIII", 0, 0, before + len(data), 9999) + bytes(before) + data for data in (b"abc", b"de")]
    assert list(wire.packets(head + b"".join(records))) == [b"abc", b"de"]
    assert list(wire.packets(b"")) == []
