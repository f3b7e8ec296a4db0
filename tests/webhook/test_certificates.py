"""The webhook's identity through its years, checked by the TLS library that API servers use."""

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from kubeslice.webhook.certificates import Identity, renewed

HOST = "kubeslice-webhook.kubeslice-system.svc"
NOW = datetime.now(UTC)


def first() -> Identity:
    return renewed(None, HOST, NOW)


def test_an_identity_that_is_good_for_long_stays() -> None:
    identity = first()
    assert renewed(identity, HOST, NOW + timedelta(days=200)) is identity


def test_a_worn_certificate_is_renewed_under_the_same_authority() -> None:
    before = first()
    after = renewed(before, HOST, NOW + timedelta(days=300))
    assert after.bundle == before.bundle
    assert after.certificate != before.certificate
    assert x509.load_pem_x509_certificate(after.certificate).not_valid_after_utc > NOW + timedelta(days=600)


def test_another_host_gets_another_certificate() -> None:
    before = first()
    assert renewed(before, "other.svc", NOW).certificate != before.certificate


def test_a_worn_authority_is_replaced_and_the_old_one_stays_trusted() -> None:
    before = first()
    after = renewed(before, HOST, NOW + timedelta(days=3000))
    assert len(x509.load_pem_x509_certificates(after.bundle)) == 2
    assert before.bundle in after.bundle
    assert not after.bundle.startswith(before.bundle)


def test_a_client_that_has_the_bundle_trusts_the_server(tmp_path: Path) -> None:
    identity = first()
    chain = tmp_path / "chain.pem"
    chain.write_bytes(identity.certificate + identity.key)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(chain)
    client_side = ssl.create_default_context(cadata=identity.bundle.decode())
    client_side.verify_flags |= ssl.VERIFY_X509_STRICT
    one, other = socket.socketpair()
    greeting: list[bytes] = []

    def serve() -> None:
        with server_side.wrap_socket(one, server_side=True) as connection:
            greeting.append(connection.recv(5))

    thread = threading.Thread(target=serve)
    thread.start()
    with client_side.wrap_socket(other, server_hostname=HOST) as connection:
        connection.send(b"hello")
    thread.join(timeout=5)
    assert greeting == [b"hello"]
