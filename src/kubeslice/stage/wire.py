"""What a packet on the WAN is, judged by its bytes alone: a tunnel's, the Kubernetes API's, or one too many. Pure."""

import struct
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from kubeslice.stage.probes import NotMeasured

PCAP_HEADER = 24
RECORD_HEADER = 16
# What a capture of all interfaces puts before a packet, by link type: LINUX_SLL and LINUX_SLL2.
COOKED = {113: 16, 276: 20}
ICMP, TCP, UDP = 1, 6, 17
API = 6443
# WireGuard (wireguard.com/protocol): type and length of the three messages of a handshake.
HANDSHAKE = {1: 148, 2: 92, 3: 64}
DATA = 4
LEAST_MTU = 576
# OpenVPN (ssl.h): opcodes in the upper five bits of the first byte.
OPENVPN_OPCODES = range(3, 12)
# ICMP (RFC 792): echo and its answer, unreachable and time exceeded.
ECHO = b"\x08", b"\x00"
ERRORS = b"\x03", b"\x0b"
# What nobody may read on the way: the API's language and its credentials.
READABLE = (b"HTTP/1.", b'"apiVersion"', b"Authorization:", b"BEGIN CERTIFICATE", b"BEGIN PRIVATE")


@dataclass(frozen=True)
class Packet:
    """An IPv4 packet: addresses, protocol, ports where it has them, and what it carries."""

    source: str
    destination: str
    protocol: int
    ports: tuple[int, ...]
    payload: bytes

    def __str__(self) -> str:
        """Name it for people."""
        names = {ICMP: "ICMP", TCP: "TCP", UDP: "UDP"}
        ends = [f"{end}:{port}" for end, port in zip((self.source, self.destination), self.ports, strict=False)]
        arrow = " → ".join(ends or [self.source, self.destination])
        return f"{names.get(self.protocol, self.protocol)} {arrow}, {len(self.payload)} bytes"


@dataclass(frozen=True)
class Known:
    """What may be seen: ports of tunnels by engine, and texts that may not be read."""

    tunnels: Mapping[int, str] = field(default_factory=dict)
    secret: Collection[bytes] = ()


def packets(pcap: bytes) -> Iterator[bytes]:
    """Yield the IP packets of a capture file of all interfaces (pcap, the machine's byte order)."""
    if len(pcap) < PCAP_HEADER:
        return
    (link,) = struct.unpack_from("=I", pcap, 20)
    if link not in COOKED:
        raise NotMeasured(f"a capture of link type {link} cannot be read")
    offset = PCAP_HEADER
    while offset + RECORD_HEADER <= len(pcap):
        (length,) = struct.unpack_from("=I", pcap, offset + 8)
        offset += RECORD_HEADER
        yield pcap[offset + COOKED[link] : offset + length]
        offset += length


def parse(data: bytes) -> Packet | None:
    """Return an IPv4 packet, or None for anything else; a fragment without a header of its own has no ports."""
    if len(data) < 20 or data[0] >> 4 != 4:
        return None
    head, total = (data[0] & 15) * 4, int.from_bytes(data[2:4], "big")
    source, destination = (str(IPv4Address(data[at : at + 4])) for at in (12, 16))
    inner, protocol = data[head : max(total, head)], data[9]
    is_first = not int.from_bytes(data[6:8], "big") & 0x1FFF
    if protocol not in (TCP, UDP) or not is_first or len(inner) < 8:
        return Packet(source, destination, protocol, (), inner)
    start = (inner[12] >> 4) * 4 if protocol == TCP and len(inner) > 12 else 8
    return Packet(source, destination, protocol, struct.unpack_from("!HH", inner), inner[start:])


def kind(packet: Packet, known: Known) -> str:
    """Return what a packet is; nothing when it has no business there."""
    if packet.protocol == ICMP:
        return _of_icmp(packet, known)
    engine = next((known.tunnels[port] for port in packet.ports if port in known.tunnels), "")
    if engine:
        return engine if _JUDGES[engine](packet) else ""
    if packet.protocol == TCP and API in packet.ports:
        return "Kubernetes API"
    return ""


def readable(packet: Packet, known: Known) -> bytes:
    """Return the text that can be read in a packet although it should not."""
    return next((text for text in (*known.secret, *READABLE) if text in packet.payload), b"")


def _of_icmp(packet: Packet, known: Known) -> str:
    """Judge a probe by what it carries, which is nothing, and an error by the packet that it quotes."""
    if packet.payload[:1] in ECHO:
        return "" if any(packet.payload[8:]) else "path probe"
    quoted = parse(packet.payload[8:]) if packet.payload[:1] in ERRORS else None
    if quoted is None:
        return ""
    is_probe = quoted.protocol == ICMP and _of_icmp(quoted, known) == "path probe"
    is_known = any(port in known.tunnels or port == API for port in quoted.ports)
    return "ICMP error" if is_probe or is_known else ""


def _is_wireguard(packet: Packet) -> bool:
    payload = packet.payload
    if packet.protocol != UDP or len(payload) < 32 or payload[1:4] != bytes(3):
        return False
    # Data is padded to 16 bytes but never beyond the tunnel's MTU, with a header and a tag of 16 bytes each.
    is_padded = len(payload) % 16 == 0 or len(payload) > LEAST_MTU
    return len(payload) == HANDSHAKE.get(payload[0], -1) or (payload[0] == DATA and is_padded)


def _is_openvpn(packet: Packet) -> bool:
    # A stream may be cut anywhere; its packets are judged by what can be read in them.
    return packet.protocol == TCP or (len(packet.payload) > 1 and packet.payload[0] >> 3 in OPENVPN_OPCODES)


_JUDGES: Mapping[str, Callable[[Packet], bool]] = {"WireGuard": _is_wireguard, "OpenVPN": _is_openvpn}
