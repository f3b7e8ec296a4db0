"""X.509 with elliptic keys: authorities and what they sign, as PEM texts. The one place that builds certificates.

Imported only by who needs it: the cryptography package costs about 50 ms of CPU.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLOCK_SKEW = timedelta(minutes=5)
SERVER = (ExtendedKeyUsageOID.SERVER_AUTH,)
SERVER_AND_CLIENT = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
SIGNING_ONLY = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True)
class Certified:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        return "Certified(…)"


def authority(name: str, now: datetime, life: timedelta) -> Certified:
    """Make a certificate authority that signs end certificates only (RFC 5280, path length 0)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _named(name)
    certificate = (
        _builder(subject, subject, key, now, life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(SIGNING_ONLY, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Certified(_pem(certificate), _key_pem(key))


def issue(
    by: Certified,
    name: str,
    now: datetime,
    life: timedelta,
    *,
    hosts: Iterable[str] = (),
    usage: Iterable[x509.ObjectIdentifier] = SERVER,
) -> Certified:
    """Make a key and a certificate signed by the authority `by`; `hosts` are DNS names and IP addresses."""
    signer, signing_key = load(by.certificate), _load_key(by.key)
    key = ec.generate_private_key(ec.SECP256R1())
    alternatives = [general_name(host) for host in hosts]
    builder = (
        _builder(_named(name[:64]), signer.subject, key, now, life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(list(usage)), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
    )
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return Certified(_pem(builder.sign(signing_key, hashes.SHA256())), _key_pem(key))


def new_key() -> bytes:
    """Make an elliptic private key for somebody whose certificate is signed elsewhere; PEM."""
    return _key_pem(ec.generate_private_key(ec.SECP256R1()))


def request(key: bytes, name: str, identity: str) -> bytes:
    """Ask for a certificate for `key`: a PKCS #10 request (RFC 2986) with a common name and a URI, PEM."""
    alternatives = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(_named(name))
    signed = builder.add_extension(alternatives, critical=False).sign(_load_key(key), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def belongs(certificate: bytes, key: bytes) -> bool:
    """Tell whether a certificate is for this private key; one that cannot be read is for none."""
    try:
        return load(certificate).public_key() == _load_key(key).public_key()
    except ValueError:
        return False


def load(pem: bytes) -> x509.Certificate:
    """Read the first certificate of a PEM text. Raises ValueError."""
    return x509.load_pem_x509_certificate(pem)


def is_worn(pem: bytes, now: datetime) -> bool:
    """Tell whether less than a third of a certificate's life is left."""
    certificate = load(pem)
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return certificate.not_valid_after_utc - now < life / 3


def covers(pem: bytes, hosts: Iterable[str]) -> bool:
    """Tell whether a certificate is good for all of these DNS names and IP addresses."""
    try:
        found = load(pem).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return not list(hosts)
    return {general_name(host) for host in hosts} <= set(found)


def general_name(host: str) -> x509.GeneralName:
    """Return a DNS name or IP address as certificates hold it."""
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


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


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _load_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey), "keys are made here, and are elliptic"
    return key


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
