"""Keys of gateways: made here, in the gateway's own cluster, which their private halves never leave."""

import base64

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kubeslice.plan.keys.gateway_keys import Credential, Identity, KeyPair, Makers


def pair(private: str) -> KeyPair:
    """Return the X25519 key pair of a private key in WireGuard's base64 form, a fresh one for ""."""
    key = X25519PrivateKey.from_private_bytes(base64.b64decode(private)) if private else X25519PrivateKey.generate()
    return KeyPair(_text(key.private_bytes_raw()), _text(key.public_key().public_bytes_raw()))


def credential(key: str, identity: Identity) -> Credential:
    """Return an elliptic key and the request for its certificate; a fresh key for ""."""
    from kubeslice.runtime import certificates  # noqa: PLC0415 - 50 ms of CPU, for slices with OpenVPN only

    private = key.encode() or certificates.new_key()
    return Credential(private.decode(), certificates.request(private, identity.common_name, identity.uri).decode())


def belongs(certificate: str, key: str) -> bool:
    """Tell whether a certificate is for this private key."""
    from kubeslice.runtime import certificates  # noqa: PLC0415 - as above

    return certificates.belongs(certificate.encode(), key.encode())


def makers() -> Makers:
    """Return the ways to make keys."""
    return Makers(pair, credential, belongs)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
