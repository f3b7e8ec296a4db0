"""A certificate authority and a certificate for tests that serve TLS."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kubeslice.runtime import certificates

_DAY = timedelta(days=1)


def server_tls(directory: Path, name: str) -> tuple[ssl.SSLContext, bytes]:
    """Return the context of a server of that DNS name, and the PEM of the authority that signed it."""
    now = datetime.now(UTC)
    authority = certificates.authority("test authority", now, _DAY)
    served = certificates.issue(authority, name, now, _DAY, hosts=[name])
    file = directory / "server.pem"
    file.write_bytes(served.key + served.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, authority.certificate
