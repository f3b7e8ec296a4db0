"""What `wg` is told so that a device agrees with one generation of keys. Pure; for `gateway.wireguard`.

Endpoints roam: once a tunnel works the kernel follows the packets of its peer, and behind address translation they come
from where nobody announced. So an endpoint is written for a peer that is new or called anew, and for one that is
talked to at an endpoint that its cluster announced before and does not announce any more.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from kubeslice.model.errors import Terminal
from kubeslice.model.names import tunnel_port
from kubeslice.plan import endpoints
from kubeslice.plan.keys.gateway_keys import is_key
from kubeslice.plan.tunnels.peers import Generation, Peer

KEEPALIVE = 15  # seconds; keeps the address translation of the way alive


@dataclass(frozen=True)
class SeenEntry:
    """What the device says about a peer; `handshake` is a Unix time, 0 for never."""

    endpoint: str = ""
    allowed: frozenset[str] = frozenset()
    handshake: int = 0
    received: int = 0
    sent: int = 0
    keepalive: int = 0
    psk: str = field(default="", repr=False)


@dataclass(frozen=True)
class SeenDevice:
    """What the device says about itself; peers by public key. `public_key` is "" before it has a key."""

    public_key: str = ""
    port: int = 0
    peers: Mapping[str, SeenEntry] = field(default_factory=dict)


@dataclass(frozen=True)
class Orders:
    """What is to be done: arguments of `wg set`, then a text for `wg addconf`, which may hold secrets (wg(8))."""

    words: tuple[str, ...] = ()
    text: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        return bool(self.words or self.text)


def private_key(generation: Generation) -> str:
    """Return our own private key. Raises `Terminal` when the Secret has none that can be one."""
    key = generation.secret.get(f"privateKey-{generation.number}", "").strip()
    if not is_key(key):
        sentence = "has no" if not key else "has a malformed"
        raise Terminal(f"the Secret of this gateway {sentence} privateKey-{generation.number}", reason="InvalidKey")
    return key


def sound(generation: Generation, public_key: str) -> tuple[dict[str, Peer], dict[str, str]]:
    """Tell the peers that can be set up, by public key, from those that cannot, by remote cluster and with the reason.

    `public_key` is our own. Of two peers that claim one key or one subnet the first has it.
    """
    known: dict[str, Peer] = {}
    problems: dict[str, str] = {}
    for peer in generation.peers:
        if reason := _problem(peer, public_key, known):
            problems[peer.remote] = reason
        else:
            known[peer.public_key] = peer
    return known, problems


def orders(
    seen: SeenDevice,
    generation: Generation,
    wanted: Mapping[str, Peer],
    public_key: str,
    former: Mapping[str, set[str]],
) -> Orders:
    """Return what makes the device agree; nothing when it does.

    `former` says by public key which endpoints we were told of before.
    """
    words = [word for key in sorted(seen.peers.keys() - wanted.keys()) for word in ("peer", key, "remove")]
    stanzas = []
    if seen.public_key != public_key or seen.port != tunnel_port(generation.number):
        port = tunnel_port(generation.number)
        stanzas.append(f"[Interface]\nPrivateKey = {private_key(generation)}\nListenPort = {port}\n")
    for key, peer in wanted.items():
        entry = seen.peers.get(key)
        if entry is None or not _agrees(entry, peer):
            stanzas.append(_stanza(peer, _endpoint(peer, 0) if entry is None or not entry.endpoint else ""))
        elif has_moved(entry, peer, former.get(key, set())):
            words += ["peer", key, "endpoint", _endpoint(peer, 0)]
    return Orders(tuple(words), "".join(stanzas))


def has_moved(entry: SeenEntry, peer: Peer, former: Collection[str]) -> bool:
    """Tell whether a peer is talked to where its cluster announced it before and does not any more.

    To write the new endpoint once is not enough: a packet that the peer sent the old way sets it back.
    """
    announced = _callable(peer)
    return bool(announced) and entry.endpoint in former and entry.endpoint not in announced


def calls(wanted: Mapping[str, Peer], attempts: Mapping[str, int]) -> tuple[Orders, Orders]:
    """Return what calls peers anew, in two steps: forget them, then meet them at their next endpoint.

    As strangers, because WireGuard makes its acquaintances wait 5 s for the next try.
    """
    due = {key: peer for key, peer in wanted.items() if peer.remote in attempts and _callable(peer)}
    words = tuple(word for key in due for word in ("peer", key, "remove"))
    text = "".join(_stanza(peer, _endpoint(peer, attempts[peer.remote])) for peer in due.values())
    return Orders(words), Orders(text=text)


def _callable(peer: Peer) -> tuple[str, ...]:
    """Return the endpoints that are an address with a port; a name or garbage would make `wg` refuse everything."""
    return tuple(endpoint.text for endpoint in endpoints.well_formed(peer.endpoints) if endpoint.address)


def _problem(peer: Peer, public_key: str, known: Mapping[str, Peer]) -> str:
    rival = next((other for other in known.values() if set(other.allowed) & set(peer.allowed)), None)
    reasons = (
        (not peer.public_key, "it announces no public key yet"),
        (not is_key(peer.public_key), "it announces a malformed public key"),
        (peer.public_key == public_key, "it announces our own public key"),
        (peer.public_key in known, "it announces the public key of another cluster"),
        (not peer.psk, "the Secret of this gateway has no pre-shared key for it yet"),
        (not is_key(peer.psk), "the Secret of this gateway has a malformed pre-shared key for it"),
        (rival is not None, f"it has the subnet of {rival.remote if rival else ''}"),
        (
            bool(peer.endpoints) and not _callable(peer),
            f"none of its endpoints is an address with a port: {', '.join(peer.endpoints)}",
        ),
    )
    return next((f"{peer.remote} is left out: {reason}" for is_so, reason in reasons if is_so), "")


def _agrees(entry: SeenEntry, peer: Peer) -> bool:
    allowed = frozenset(str(subnet) for subnet in peer.allowed)
    has_way = bool(entry.endpoint) or not _callable(peer)
    return (entry.allowed, entry.keepalive, entry.psk) == (allowed, KEEPALIVE, peer.psk) and has_way


def _endpoint(peer: Peer, attempt: int) -> str:
    announced = _callable(peer)
    return announced[attempt % len(announced)] if announced else ""


def _stanza(peer: Peer, endpoint: str) -> str:
    lines = [
        "[Peer]",
        f"PublicKey = {peer.public_key}",
        f"PresharedKey = {peer.psk}",
        f"AllowedIPs = {_list(peer.allowed)}",
        f"PersistentKeepalive = {KEEPALIVE}",
        *([f"Endpoint = {endpoint}"] if endpoint else []),
    ]
    return "\n".join(lines) + "\n"


def _list(subnets: Iterable[IPv4Network]) -> str:
    return ", ".join(str(subnet) for subnet in subnets)
