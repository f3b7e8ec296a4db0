"""Keys and certificates of one cluster, made once and kept in its data directory; the composition root calls this.

Certificates are for years because a lab is thrown away long before, and elliptic because twenty servers start at once.
"""

import secrets
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kubeslice.lab.apiserver.identity.signing import dump_key, new_key
from kubeslice.linux.files import write
from kubeslice.runtime import certificates
from kubeslice.runtime.certificates import Certified

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
    now = datetime.now(UTC)
    if not files.ca.exists():
        _write(certificates.authority("kubernetes", now, _LIFETIME), files.ca, files.ca_key)
    wanted = sorted({*names, *_CLUSTER_NAMES})
    if not files.certificate.exists() or not certificates.covers(files.certificate.read_bytes(), wanted):
        signer = Certified(files.ca.read_bytes(), files.ca_key.read_bytes())
        served = certificates.issue(signer, "kube-apiserver", now, _LIFETIME, hosts=wanted)
        _write(served, files.certificate, files.key)
    if not files.signing_key.exists():
        write_secret(files.signing_key, dump_key(new_key()))
    if not files.admin_token.exists():
        write_secret(files.admin_token, secrets.token_urlsafe(32))


def write_secret(path: Path, content: str | bytes) -> None:
    """Write a file that nobody but its owner reads, and nobody half."""
    write(path, content, 0o600)


def _write(certified: Certified, certificate: Path, key: Path) -> None:
    write_secret(key, certified.key)
    write(certificate, certified.certificate)


def server_context(files: Files) -> ssl.SSLContext:
    """Return the TLS context that the server listens with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(files.certificate, files.key)
    return context
