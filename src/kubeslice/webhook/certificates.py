"""The webhook's own certificate authority and serving certificate. Makes and judges them; `identity` keeps them.

Keys are P-256 and made here, in the cluster that uses them. Only the authority's certificate leaves, as the `caBundle`
of a webhook configuration.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = timedelta(days=3650)
SERVING_LIFE = timedelta(days=365)
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class Identity:
    """PEM texts: `bundle` is what clients trust, newest authority first; the rest is ours alone."""

    bundle: bytes
    authority_key: bytes
    certificate: bytes
    key: bytes


def renewed(current: Identity | None, host: str, now: datetime) -> Identity:
    """Return an identity for `host` that is good for long; `current` itself when it still is.

    An authority is replaced long before it ends, and the old one stays in the bundle until then, so that replicas that
    still serve the old certificate stay trusted.
    """
    if current is None:
        return _first(host, now)
    authority = x509.load_pem_x509_certificate(current.bundle)
    if _is_worn(authority, now):
        fresh = _first(host, now)
        old = authority.public_bytes(serialization.Encoding.PEM)
        return Identity(fresh.bundle + old, fresh.authority_key, fresh.certificate, fresh.key)
    serving = x509.load_pem_x509_certificate(current.certificate)
    if _is_worn(serving, now) or host not in _hosts(serving):
        key = serialization.load_pem_private_key(current.authority_key, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        certificate, serving_key = _serving(host, authority, key, now)
        return Identity(current.bundle, current.authority_key, certificate, serving_key)
    return current


def _first(host: str, now: datetime) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(key, now)
    certificate, serving_key = _serving(host, authority, key, now)
    return Identity(authority.public_bytes(serialization.Encoding.PEM), _pem(key), certificate, serving_key)


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"kubeslice-webhook-{now:%Y%m%d%H%M%S}")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        _builder(name, name, key, now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _serving(
    host: str, authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey, now: datetime
) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    certificate = (
        _builder(name, authority.subject, key, now, SERVING_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM), _pem(key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + life)
    )


def _is_worn(certificate: x509.Certificate, now: datetime) -> bool:
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return certificate.not_valid_after_utc - now < life / 3


def _hosts(certificate: x509.Certificate) -> list[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.DNSName)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
