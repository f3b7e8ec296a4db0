"""What one gateway must know in secret: the content of its plane's Secret, by generation of its keys.

Pure: `worker.planekeys` makes the keys and writes the Secret. A private key that is in force stays what it is; keys of
generations that are in force no more go.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from kubeslice.model import names

Object = dict[str, Any]
Texts = Mapping[str, str]
Shared = Mapping[tuple[str, int], str]

FIRST = 1
KEY_BYTES = 32
OLD_FORM = {"privateKey": "privateKey-1", "publicKey": "publicKey-1"}


@dataclass(frozen=True)
class KeyPair:
    """An X25519 key pair in the base64 form that WireGuard uses (RFC 7748; wg(8))."""

    private: str = field(repr=False)
    public: str


@dataclass(frozen=True)
class Credential:
    """A private key and the request for its certificate, both PEM."""

    key: str = field(repr=False)
    request: str


@dataclass(frozen=True)
class Identity:
    """Who a gateway is in its certificate."""

    project: str
    slice: str
    cluster: str
    plane: int

    @property
    def common_name(self) -> str:
        """Return the common name of the certificate."""
        return f"{self.slice}.{self.cluster}.{self.plane}"

    @property
    def uri(self) -> str:
        """Return the URI that the certificate names as alternative."""
        return f"kubeslice://{self.project}/{self.slice}/{self.cluster}/{self.plane}"


@dataclass(frozen=True)
class Wanted:
    """What the Secret of one plane should hold beside the keys that are made here.

    `shared` are the pre-shared keys by remote cluster and generation. `certificates` are by generation; they, the
    authority's certificate and the revocation list count with OpenVPN only, and what is empty stays as it is.
    """

    generations: tuple[int, ...] = (FIRST,)
    engine: Literal["OpenVPN", "Wireguard"] = "Wireguard"
    shared: Shared = field(default_factory=dict, repr=False)
    certificates: Mapping[int, str] = field(default_factory=dict)
    authority: str = ""
    revoked: str = ""

    @property
    def is_certified(self) -> bool:
        """Tell whether the gateway needs a certificate."""
        return self.engine == "OpenVPN"


@dataclass(frozen=True)
class Makers:
    """How the rest of a key is made from its private half, or all of it from "", and whose a certificate is."""

    pair: Callable[[str], KeyPair]
    credential: Callable[[str, Identity], Credential]
    belongs: Callable[[str, str], bool]


def is_key(text: str) -> bool:
    """Tell whether a text can be a key of WireGuard: 32 bytes in base64."""
    try:
        return len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except ValueError:
        return False


def generations(spec: Mapping[str, Any], plane: int) -> tuple[int, ...]:
    """Return the generations in force on a plane, by the spec of a Slice."""
    for entry in spec.get("gatewayKeys") or []:
        if entry["plane"] == plane and entry.get("generations"):
            return tuple(sorted({int(generation) for generation in entry["generations"]}))
    return (FIRST,)


def content(seen: Texts, wanted: Wanted, identity: Identity, makers: Makers) -> dict[str, str]:
    """Return all that the Secret should hold; what is missing of keys in `seen` is made."""
    known = _in_new_form(seen)
    found: dict[str, str] = {}
    for generation in wanted.generations:
        found |= _pair(known, generation, makers)
        if wanted.is_certified:
            found |= _certified(known, generation, wanted, identity, makers)
    if wanted.is_certified:
        common = {"ca.crt": wanted.authority, "crl.pem": wanted.revoked}
        found |= {name: text for name, new in common.items() if (text := new or known.get(name, ""))}
    shared = {shared_key(remote, generation): text for (remote, generation), text in wanted.shared.items()}
    return found | shared


def changes(data: Mapping[str, str], after: Texts) -> dict[str, str | None]:
    """Return what a merge patch of the Secret's `data` has to say; nothing when all is as it should be."""
    stale: dict[str, str | None] = dict.fromkeys(key for key in data if key not in after)
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in after.items()}
    return stale | {key: value for key, value in encoded.items() if data.get(key) != value}


def texts(secret: Object | None) -> dict[str, str]:
    """Return what a Secret holds; what is no text counts as missing."""
    data = (secret or {}).get("data") or {}
    return {key: text for key, value in data.items() if (text := _decoded(value))}


def private_key(generation: int) -> str:
    """Return under which name the WireGuard private key of a generation is in the Secret."""
    return f"privateKey-{generation}"


def public_key(generation: int) -> str:
    """Return under which name the WireGuard public key of a generation is in the Secret."""
    return f"publicKey-{generation}"


def request(generation: int) -> str:
    """Return under which name the request for a generation's certificate is in the Secret."""
    return f"tls-{generation}.csr"


def shared_key(remote: str, generation: int) -> str:
    """Return under which name a pre-shared key is in the Secret."""
    return f"psk-{remote}-{generation}"


def wanted(spec: Mapping[str, Any], told: Mapping[str, Any], plane: int, shared: Shared) -> Wanted:
    """Return what a plane's Secret should hold, by the spec of a Slice and what the hub `told` of it, if anything."""
    certificates = told.get("gatewayCertificates") or []
    return Wanted(
        generations=generations(spec, plane),
        engine="OpenVPN" if spec.get("gatewayType") == "OpenVPN" else "Wireguard",
        shared=shared,
        certificates={entry["generation"]: entry["certificate"] for entry in certificates if entry["plane"] == plane},
        authority=str(told.get("certificateAuthority") or ""),
        revoked=str(told.get("revocationList") or ""),
    )


def pre_shared(
    pairs: Iterable[Object], secrets: Mapping[str, Object], plane: int, in_force: Sequence[int], seen: Texts
) -> Shared:
    """Return the pre-shared keys of a plane, by the WorkerSliceGateways of the slice and the hub's Secrets by name.

    A key that the hub names and does not show at the moment stays as it was `seen` here.
    """
    found = {}
    for pair in pairs:
        spec = pair.get("spec") or {}
        name = (spec.get("gatewayCredentials") or {}).get("secretName") or ""
        remote = str((spec.get("remoteGatewayConfig") or {}).get("clusterName") or "")
        shown = texts(secrets.get(name))
        for generation in in_force if name and remote else ():
            before = seen.get(shared_key(remote, generation), "")
            if text := shown.get(names.pre_shared_key(plane, generation)) or before:
                found[remote, generation] = text
    return found


def kept(seen: Texts, in_force: Sequence[int]) -> Shared:
    """Return the pre-shared keys that a Secret holds, for when the hub does not say which there should be."""
    found = {}
    for key, text in seen.items():
        remote, _, generation = key.removeprefix("psk-").rpartition("-")
        if key.startswith("psk-") and generation.isdecimal() and int(generation) in in_force:
            found[remote, int(generation)] = text
    return found


def _in_new_form(seen: Texts) -> dict[str, str]:
    return {OLD_FORM[key]: text for key, text in seen.items() if key in OLD_FORM} | dict(seen)


def _pair(known: Texts, generation: int, makers: Makers) -> dict[str, str]:
    private, public = private_key(generation), public_key(generation)
    if private in known and public in known:
        return {private: known[private], public: known[public]}
    made = makers.pair(known.get(private, ""))
    return {private: made.private, public: made.public}


def _certified(known: Texts, generation: int, wanted: Wanted, identity: Identity, makers: Makers) -> dict[str, str]:
    key, asked, certificate = f"tls-{generation}.key", request(generation), f"tls-{generation}.crt"
    if key not in known or asked not in known:
        made = makers.credential(known.get(key, ""), identity)
        return {key: made.key, asked: made.request}
    own = {key: known[key], asked: known[asked]}
    told, before = wanted.certificates.get(generation, ""), known.get(certificate, "")
    # A certificate for a key that was here before this one is of no use to anybody.
    if told and told != before and makers.belongs(told, known[key]):
        return own | {certificate: told}
    return own | ({certificate: before} if before else {})


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
