"""X.509 with elliptic keys: authorities and what they sign, as PEM texts. The one place that builds certificates.

Imported only by who needs it: the cryptography package costs about 50 ms of CPU.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLOCK_SKEW = timedelta(minutes=5)
SERVER = (ExtendedKeyUsageOID.SERVER_AUTH,)
SERVER_AND_CLIENT = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


def _usage(*, signs_data: bool, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs_data,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


SIGNING_ONLY = _usage(signs_data=False, signs_certificates=True)
TALKING_ONLY = _usage(signs_data=True, signs_certificates=False)


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
    return Certified(_pem(_self_signed(_named(name), key, now, life)), _key_pem(key))


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


def renewed(authority: Certified, now: datetime, life: timedelta) -> Certified:
    """Let an authority certify itself anew with the key it has: what it signed before stays good."""
    key, subject = _load_key(authority.key), load(authority.certificate).subject
    return Certified(_pem(_self_signed(subject, key, now, life)), authority.key)


def requested_key(pem: str) -> bytes:
    """Check a PKCS #10 request (RFC 2986) and return the public key it is for, DER.

    Raises ValueError with a sentence: it cannot be read, its signature is wrong, its key is too weak.
    """
    try:
        asked = x509.load_pem_x509_csr(pem.encode())
        key, is_signed = asked.public_key(), asked.is_signature_valid
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("is no certificate request that can be read") from error
    if not is_signed:
        raise ValueError("is not signed with its own key")
    if not _is_strong(key):
        raise ValueError("has a key that is too weak: an elliptic key of 256 bits, or RSA of 2048, is the least")
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def signed(by: Certified, request: str, name: str, identity: str, now: datetime, life: timedelta) -> bytes:
    """Sign the key of a checked request for `name` and the URI `identity`; what else it asks for does not count.

    The certificate is good for both ends of a TLS connection.
    """
    signer, signing_key = load(by.certificate), _load_key(by.key)
    asked = x509.load_pem_x509_csr(request.encode())
    alternatives = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(signer.subject)
        .public_key(asked.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(TALKING_ONLY, critical=True)
        .add_extension(x509.ExtendedKeyUsage(SERVER_AND_CLIENT), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
        .add_extension(alternatives, critical=False)
        .sign(signing_key, hashes.SHA256())
    )
    return _pem(certificate)


def revocation_list(by: Certified, revoked: Iterable[tuple[int, datetime]], now: datetime, life: timedelta) -> bytes:
    """Make the list of the revoked serial numbers (X.509 CRL, RFC 5280), PEM; it is good for `life`."""
    signer, signing_key = load(by.certificate), _load_key(by.key)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(signer.subject)
        .last_update(now - CLOCK_SKEW)
        .next_update(now + life)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
        .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
    )
    for serial_number, when in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial_number).revocation_date(when)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(signing_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def end_of_list(pem: bytes) -> datetime:
    """Return until when a revocation list is good. Raises ValueError."""
    ends = x509.load_pem_x509_crl(pem).next_update_utc
    if ends is None:
        raise ValueError("the revocation list has no end")
    return ends


def serial(pem: bytes) -> int:
    """Return the serial number of a certificate."""
    return load(pem).serial_number


def load(pem: bytes) -> x509.Certificate:
    """Read the first certificate of a PEM text. Raises ValueError."""
    return x509.load_pem_x509_certificate(pem)


def revoked(pem: bytes) -> frozenset[int]:
    """Return the serial numbers on a list of revoked certificates (RFC 5280, section 5). Raises ValueError."""
    return frozenset(entry.serial_number for entry in x509.load_pem_x509_crl(pem))


def is_worn(pem: bytes, now: datetime) -> bool:
    """Tell whether less than a third of a certificate's life is left, or all of it because a wrong clock made it."""
    certificate = load(pem)
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return not life / 3 <= certificate.not_valid_after_utc - now <= life


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


def _self_signed(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, life: timedelta
) -> x509.Certificate:
    return (
        _builder(subject, subject, key, now, life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(SIGNING_ONLY, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _is_strong(key: object) -> bool:
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.key_size >= 256
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= 2048
    return isinstance(key, ed25519.Ed25519PublicKey)


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
