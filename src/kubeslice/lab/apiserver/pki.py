"""Keys and certificates of one cluster, made once and kept in its data directory; the composition root calls this.

Certificates are for years because a lab is thrown away long before, and elliptic because twenty servers start at once.
"""

import secrets
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubeslice.lab.apiserver.identity.signing import dump_key, load_key, new_key

_LIFETIME = timedelta(days=3650)
_CLUSTER_NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "localhost",
    "127.0.0.1",
)


@dataclass(frozen=True, slots=True)
class Files:
    """Where the secrets of a cluster are kept."""

    directory: Path

    @property
    def ca(self) -> Path:
        """The certificate that clients trust."""
        return self.directory / "ca.crt"

    @property
    def ca_key(self) -> Path:
        """Its key."""
        return self.directory / "ca.key"

    @property
    def certificate(self) -> Path:
        """The serving certificate."""
        return self.directory / "server.crt"

    @property
    def key(self) -> Path:
        """Its key."""
        return self.directory / "server.key"

    @property
    def signing_key(self) -> Path:
        """The key of service account tokens."""
        return self.directory / "sa.key"

    @property
    def admin_token(self) -> Path:
        """The administrator's bearer token."""
        return self.directory / "admin.token"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.directory / "admin.kubeconfig"


def ensure(files: Files, names: Iterable[str]) -> None:
    """Make what is missing. The serving certificate is made anew when it lacks one of the names."""
    files.directory.mkdir(parents=True, exist_ok=True)
    if not files.ca.exists():
        _write_authority(files)
    wanted = sorted({*names, *_CLUSTER_NAMES})
    if not files.certificate.exists() or not _covers(files.certificate, wanted):
        _write_certificate(files, wanted)
    if not files.signing_key.exists():
        _write_secret(files.signing_key, dump_key(new_key()))
    if not files.admin_token.exists():
        _write_secret(files.admin_token, secrets.token_urlsafe(32).encode())


def _write_secret(path: Path, content: bytes) -> None:
    path.touch(0o600)
    path.write_bytes(content)


def _key_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return dump_key(key)


def _write_authority(files: Files) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=True,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _builder(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write_secret(files.ca_key, _key_bytes(key))
    files.ca.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    start = datetime.now(UTC) - timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _LIFETIME)
    )


def _write_certificate(files: Files, names: list[str]) -> None:
    authority = x509.load_pem_x509_certificate(files.ca.read_bytes())
    authority_key = load_key(files.ca_key.read_bytes())
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    certificate = (
        _builder(subject, authority.subject, key)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(identifier, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    _write_secret(files.key, _key_bytes(key))
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _covers(path: Path, names: list[str]) -> bool:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {_general_name(name) for name in names} <= set(found)


def server_context(files: Files) -> ssl.SSLContext:
    """Return the TLS context that the server listens with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(files.certificate, files.key)
    return context
