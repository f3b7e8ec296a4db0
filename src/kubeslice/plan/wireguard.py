"""Which WireGuard peers a gateway has, and the one `wg set` call that makes the device agree. Pure; for the gateway.

Endpoints roam: once a tunnel works the kernel follows the packets of its peer, so an endpoint is only written for a
peer that is new or that has been given up on (`Peer.attempt` counts how often) and tries its next address.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any

from kubeslice.model.names import WIREGUARD_INTERFACE, WIREGUARD_PORT

Object = dict[str, Any]

KEEPALIVE = 15  # seconds; keeps the address translation of the way alive


@dataclass(frozen=True)
class Peer:
    """The gateway of one remote cluster in our plane. `gateway` is the SliceGateway that asks for it."""

    gateway: str
    public_key: str
    endpoints: tuple[str, ...]
    subnet: IPv4Network


@dataclass(frozen=True)
class SeenPeer:
    """What the device says about a peer; `handshake` is a Unix time, 0 for never."""

    endpoint: str = ""
    allowed: frozenset[str] = frozenset()
    handshake: int = 0
    received: int = 0
    sent: int = 0
    keepalive: int = 0


@dataclass(frozen=True)
class SeenDevice:
    """What the device says about itself; peers by public key. `public_key` is "" before it has a key."""

    public_key: str = ""
    port: int = 0
    peers: Mapping[str, SeenPeer] = field(default_factory=dict)


def peers(gateways: Iterable[Object], plane: int) -> list[Peer]:
    """Return the peers of a plane that are known well enough to be called, by name of their SliceGateway."""
    found = []
    for obj in gateways:
        spec: Object = obj.get("spec") or {}
        for entry in spec.get("planes") or []:
            if entry.get("plane") == plane and entry.get("publicKey") and spec.get("remoteSubnet"):
                endpoints = tuple(entry.get("endpoints") or ())
                subnet = IPv4Network(spec["remoteSubnet"])
                found.append(Peer(obj["metadata"]["name"], entry["publicKey"], endpoints, subnet))
    return sorted(found, key=lambda peer: peer.gateway)


def settings(
    seen: SeenDevice, wanted: Iterable[Peer], key_file: str, public_key: str, attempts: Mapping[str, int]
) -> list[str]:
    """Return the arguments of `wg set` that are needed, none when the device agrees.

    `attempts` says which of its endpoints a peer tries: it counts the times we gave up on one.
    """
    known = {peer.public_key: peer for peer in wanted if peer.public_key != public_key}
    words: list[str] = []
    if seen.public_key != public_key:
        words += ["private-key", key_file]
    if seen.port != WIREGUARD_PORT:
        words += ["listen-port", str(WIREGUARD_PORT)]
    for key in sorted(seen.peers.keys() - known.keys()):
        words += ["peer", key, "remove"]
    for key, peer in known.items():
        words += _peer(peer, seen.peers.get(key), attempts.get(key, 0))
    return ["set", WIREGUARD_INTERFACE, *words] if words else []


def removals(public_keys: Iterable[str]) -> list[str]:
    """Return the arguments that forget peers; adding them again calls them at once instead of after WireGuard's 5 s."""
    words = [word for key in public_keys for word in ("peer", key, "remove")]
    return ["set", WIREGUARD_INTERFACE, *words] if words else []


def _peer(peer: Peer, seen: SeenPeer | None, attempt: int) -> list[str]:
    words: list[str] = []
    if seen is None or seen.allowed != {str(peer.subnet)}:
        words += ["allowed-ips", str(peer.subnet)]
    if seen is None or seen.keepalive != KEEPALIVE:
        words += ["persistent-keepalive", str(KEEPALIVE)]
    if peer.endpoints and (seen is None or not seen.endpoint):
        words += ["endpoint", peer.endpoints[attempt % len(peer.endpoints)]]
    return ["peer", peer.public_key, *words] if words else []
