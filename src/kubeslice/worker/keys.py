"""Key pairs of gateways: made here, in the gateway's own cluster, which the private half never leaves."""

import base64

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kubeslice.plan.workloads import KeyPair


def new_pair() -> KeyPair:
    """Return a fresh X25519 key pair in WireGuard's base64 form."""
    private = X25519PrivateKey.generate()
    return KeyPair(_text(private.private_bytes_raw()), _text(private.public_key().public_bytes_raw()))


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
