"""Which OpenVPN processes a gateway runs for one generation of its keys, and what each of them is told. Pure.

One server for all clusters that call us, and one client for each cluster that we call; `gateway.openvpn` runs them.
A configuration is one text with keys and certificates in it, so that nothing secret is ever a file. Options are
explained in openvpn(8); docs/decisions/0022-openvpn.md says why these.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kubeslice.model.names import tunnel_port
from kubeslice.plan import endpoints
from kubeslice.plan.tunnels.peers import Generation, Peer

AEAD_CIPHERS = ("AES-256-GCM", "CHACHA20-POLY1305", "AES-128-GCM")
CBC_CIPHERS = ("AES-256-CBC", "AES-128-CBC")
BUFFER = 1 << 20  # bytes; the default of 208 KiB loses packets as soon as another process has the processor
LARGEST_MTU = 9216  # of the device; its real MTU is set from outside, and follows the path
PING, PATIENCE = 3, 12  # seconds

_PEM = re.compile(r"[A-Za-z0-9+/= -]{1,80}")


@dataclass(frozen=True)
class Credential:
    """What a gateway proves its identity with, in one generation: PEM texts."""

    key: str = field(repr=False)
    certificate: str
    authority: str


@dataclass(frozen=True)
class Role:
    """One OpenVPN process: a server of `callers`, or a client (`remote` is set) that calls one cluster.

    Names of certificates (common names) are the keys of `callers`, and the name that a client expects is `expected`.
    """

    device: str
    port: int
    protocol: str
    cipher: str
    callers: Mapping[str, Peer] = field(default_factory=dict)
    expected: str = ""
    remote: Peer | None = None


@dataclass(frozen=True)
class Surroundings:
    """What the machine has: IPv6 (to listen on both families), kernel offload, and a file for revoked certificates."""

    ipv6: bool = False
    offload: bool = False
    revoked_file: str = ""


def common_name(slice_name: str, cluster: str, plane: int) -> str:
    """Return the name in the certificate of a gateway."""
    return f"{slice_name}.{cluster}.{plane}"


def device_prefix(generation: int) -> str:
    """Return how the names of all devices of a generation begin; generation g + 2 takes over those of g."""
    return f"ovpn{generation % 2}"


def device(generation: int, peer: Peer) -> str:
    """Return the device that leads to a peer: one for all that call us, one for each that we call."""
    if peer.host_type != "Client":
        return f"{device_prefix(generation)}-{'tcp' if peer.protocol == 'TCP' else 'udp'}"
    return f"{device_prefix(generation)}-{hashlib.sha256(peer.remote.encode()).hexdigest()[:8]}"


def credential(secret: Mapping[str, str], generation: int) -> Credential | None:
    """Return a generation's credential from the plane's Secret; nothing while a part of it is missing."""
    parts = [secret.get(name, "") for name in (f"tls-{generation}.key", f"tls-{generation}.crt", "ca.crt")]
    return Credential(*parts) if all(parts) else None


def roles(generation: Generation, slice_name: str, plane: int) -> list[Role]:
    """Return the processes of a generation, by name of their device; a peer that has no endpoint is not called."""
    found: dict[str, Role] = {}
    port = tunnel_port(generation.number)
    for peer in generation.peers:
        name, cn = device(generation.number, peer), common_name(slice_name, peer.remote, plane)
        if peer.host_type != "Client":
            callers = found[name].callers if name in found else {}
            found[name] = Role(name, port, peer.protocol, peer.cipher, callers={**callers, cn: peer})
        elif callable_at(peer):
            found[name] = Role(name, port, peer.protocol, peer.cipher, expected=cn, remote=peer)
    return [found[name] for name in sorted(found)]


def callable_at(peer: Peer) -> list[tuple[str, int]]:
    """Return where a peer can be called, host and port; what can be no endpoint is left out."""
    return [(endpoint.host, endpoint.port) for endpoint in endpoints.well_formed(peer.endpoints)]


def ciphers(asked: str) -> list[str]:
    """Return the ciphers that both ends may agree on, best first: what was asked for, and nothing weaker beside it."""
    if asked in CBC_CIPHERS:
        return [asked]
    return list(dict.fromkeys((asked if asked in AEAD_CIPHERS else AEAD_CIPHERS[0], *AEAD_CIPHERS[:2])))


def overhead(cipher: str, protocol: str) -> int:
    """Return the bytes that are added to a packet at most, without the outer IP header.

    AEAD: opcode and peer 4, packet number 4, tag 16. CBC: opcode 4, HMAC 32, IV 16, packet number 4, padding 16.
    TCP: length 2, and a header with time stamps in place of that of UDP.
    """
    inner = 72 if cipher.endswith("-CBC") else 24
    return inner + (2 + 32 if protocol == "TCP" else 8)


def fingerprint(role: Role, own: Credential, around: Surroundings) -> str:
    """Return what makes a process another one than it was: all but who signed for the key, which it may hear later."""
    return configuration(role, Credential(own.key, "", ""), around)


def is_offloaded(role: Role, around: Surroundings) -> bool:
    """Tell whether the kernel may carry a process's packets, on a device that OpenVPN then makes itself.

    Only a client's: a server of the kernel finds its clients by next hops in the routing table, not by their subnets.
    """
    return around.offload and role.remote is not None and role.cipher not in CBC_CIPHERS


def configuration(role: Role, own: Credential, around: Surroundings) -> str:
    """Return the text of a configuration, keys included."""
    lines = [
        *_common(role),
        *(() if is_offloaded(role, around) else ("disable-dco",)),
        *(_client(role) if role.remote else _server(role, around)),
        *([f"crl-verify {around.revoked_file}"] if around.revoked_file else []),
        *_inline("ca", own.authority),
        *_inline("cert", own.certificate),
        *_inline("key", own.key),
    ]
    return "".join(f"{line}\n" for line in lines)


def _common(role: Role) -> Iterator[str]:
    yield "dev-type tun"
    yield f"dev {role.device}"
    yield from ("ifconfig-noexec", "route-noexec")  # addresses and routes are the gateway's own
    yield f"tun-mtu {LARGEST_MTU}"
    yield "mssfix 0"
    yield from (f"sndbuf {BUFFER}", f"rcvbuf {BUFFER}")
    # As WireGuard does: rather in pieces than not at all, while it is not known yet how large packets may be.
    yield from ("socket-flags TCP_NODELAY",) if role.protocol == "TCP" else ("fast-io", "mtu-disc no")
    yield from _ciphers(role.cipher)
    yield from ("tls-version-min 1.2", "tls-timeout 1", "hand-window 8")
    yield from (f"ping {PING}", f"ping-restart {PATIENCE}")
    yield from ("persist-key", "persist-tun")
    yield from ("verb 3", "suppress-timestamps", "mute-replay-warnings")


def _ciphers(asked: str) -> Iterator[str]:
    yield f"data-ciphers {':'.join(ciphers(asked))}"
    if asked.endswith("-CBC"):
        yield "auth SHA256"


def _server(role: Role, around: Surroundings) -> Iterator[str]:
    family = "6" if around.ipv6 else "4"
    yield from ("mode server", "tls-server", "dh none")
    yield f"proto tcp{family}-server" if role.protocol == "TCP" else f"proto udp{family}"
    yield f"port {role.port}"
    yield from ("management-client-auth", "auth-user-pass-optional")  # who may call is decided for each call
    yield 'remote-cert-eku "TLS Web Client Authentication"'


def _client(role: Role) -> Iterator[str]:
    yield "client"
    yield "proto tcp-client" if role.protocol == "TCP" else "proto udp"
    yield "nobind"
    yield "remote 0.0.0.0 1"  # asked for on each call
    yield from ("management-query-remote", "management-up-down")
    yield from ("connect-retry 1 4", "connect-timeout 3", "auth-retry nointeract")
    yield f"verify-x509-name {role.expected} name"
    yield 'remote-cert-eku "TLS Web Server Authentication"'
    # The only settings that the other end may decide.
    yield from (f'pull-filter accept "{word}"' for word in ("cipher ", "peer-id ", "protocol-flags "))
    yield 'pull-filter ignore ""'


def _inline(tag: str, text: str) -> tuple[str, ...]:
    # A text of another cluster must not end its section and go on with options: nothing but lines of PEM gets in.
    return (f"<{tag}>", *(line for line in text.splitlines() if _PEM.fullmatch(line)), f"</{tag}>")
