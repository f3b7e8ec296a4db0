"""JSON Web Tokens signed with ES256 or RS256: the form of service account tokens.

Source: RFC 7515, RFC 7518 and RFC 7519.
"""

import base64
import binascii
import hashlib
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

Claims = dict[str, Any]
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_COORDINATE_BYTES = 32


class TokenError(Exception):
    """A token is not well formed or not signed by our key."""


def new_key() -> PrivateKey:
    """Make a signing key."""
    return ec.generate_private_key(ec.SECP256R1())


def load_key(pem: bytes) -> PrivateKey:
    """Read a signing key from PEM. Raises `ValueError` for keys of other kinds."""
    key = serialization.load_pem_private_key(pem, None)
    if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        return key
    raise ValueError("service account tokens are signed with an ECDSA P-256 or an RSA key")


def dump_key(key: PrivateKey) -> bytes:
    """Write a signing key as PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Signer:
    """Signs and verifies with one key."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key
        self._public = key.public_key()
        self._algorithm = "ES256" if isinstance(key, ec.EllipticCurvePrivateKey) else "RS256"
        public = self._public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.key_id = _encode(hashlib.sha256(public).digest())

    def sign(self, claims: Claims) -> str:
        """Return the token that makes these claims."""
        header = {"alg": self._algorithm, "kid": self.key_id}
        signed = f"{_encode(_dump(header))}.{_encode(_dump(claims))}"
        return f"{signed}.{_encode(self._signature(signed.encode()))}"

    def _signature(self, data: bytes) -> bytes:
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(_COORDINATE_BYTES, "big") + s.to_bytes(_COORDINATE_BYTES, "big")

    def verify(self, token: str) -> Claims:
        """Return the claims of a token that this key signed. Raises `TokenError`."""
        signed, _, signature = token.rpartition(".")
        header, _, payload = signed.partition(".")
        if _object(header).get("alg") != self._algorithm:
            raise TokenError("the token is signed with another algorithm")
        try:
            self._check(_decode(signature), signed.encode())
        except InvalidSignature as error:
            raise TokenError("the token's signature is invalid") from error
        return _object(payload)

    def _check(self, signature: bytes, data: bytes) -> None:
        if isinstance(self._public, rsa.RSAPublicKey):
            self._public.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
            return
        if len(signature) != 2 * _COORDINATE_BYTES:
            raise TokenError("the token's signature has the wrong length")
        r, s = (int.from_bytes(part, "big") for part in (signature[:_COORDINATE_BYTES], signature[_COORDINATE_BYTES:]))
        self._public.verify(encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))

    def key_set(self) -> Claims:
        """Return the public key as a JSON Web Key Set, for `/openid/v1/jwks`."""
        numbers = self._public.public_numbers()
        key: Claims = {"use": "sig", "kid": self.key_id, "alg": self._algorithm}
        if isinstance(numbers, ec.EllipticCurvePublicNumbers):
            x, y = (_encode(value.to_bytes(_COORDINATE_BYTES, "big")) for value in (numbers.x, numbers.y))
            return {"keys": [{**key, "kty": "EC", "crv": "P-256", "x": x, "y": y}]}
        n, e = (_encode(value.to_bytes((value.bit_length() + 7) // 8, "big")) for value in (numbers.n, numbers.e))
        return {"keys": [{**key, "kty": "RSA", "n": n, "e": e}]}


def _dump(value: Claims) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise TokenError("the token is not base64") from error


def _object(text: str) -> Claims:
    try:
        value = json.loads(_decode(text))
    except ValueError as error:
        raise TokenError("the token is not JSON") from error
    if not isinstance(value, dict):
        raise TokenError("the token is not a JSON object")
    return value
