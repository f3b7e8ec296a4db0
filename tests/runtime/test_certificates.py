"""Requests are signed for what the hub says, whatever they ask for; revoked is what the list names."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeslice.runtime import certificates

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
WEEK = timedelta(days=7)


def asked(name: str = "red.a.0", identity: str = "kubeslice://demo/red/a/0") -> str:
    return certificates.request(certificates.new_key(), name, identity).decode()


def signed(by: certificates.Certified, request: str) -> bytes:
    return certificates.signed(by, request, "red.a.0", "kubeslice://demo/red/a/0", NOW, WEEK)


def test_a_certificate_says_what_the_hub_says_and_not_what_was_asked_for() -> None:
    authority = certificates.authority("KubeSlice demo red", NOW, YEAR)
    request = asked("red.b.1", "kubeslice://demo/red/b/1")
    certificate = certificates.load(signed(authority, request))
    names = [part.value for part in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    assert names == ["red.a.0"]
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert found.get_values_for_type(x509.UniformResourceIdentifier) == ["kubeslice://demo/red/a/0"]
    usage = set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    assert usage == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.not_valid_after_utc == NOW + WEEK
    assert certificate.not_valid_before_utc < NOW
    certificate.verify_directly_issued_by(certificates.load(authority.certificate))


def verify(authority: bytes, certificate: bytes) -> None:
    verifier = PolicyBuilder().store(Store([certificates.load(authority)])).time(NOW).build_client_verifier()
    verifier.verify(certificates.load(certificate), [])


def test_an_authority_that_is_renewed_stands_by_what_it_signed_and_another_one_does_not() -> None:
    authority = certificates.authority("KubeSlice demo red", NOW - YEAR, YEAR)
    certificate = signed(authority, asked())
    renewed = certificates.renewed(authority, NOW, YEAR)
    assert renewed.certificate != authority.certificate
    verify(renewed.certificate, certificate)
    foreign = certificates.authority("KubeSlice demo red", NOW, YEAR)
    with pytest.raises(VerificationError):
        verify(foreign.certificate, certificate)


def test_a_revocation_list_names_the_revoked_and_ends() -> None:
    authority = certificates.authority("KubeSlice demo red", NOW, YEAR)
    serial = certificates.serial(signed(authority, asked()))
    pem = certificates.revocation_list(authority, [(serial, NOW)], NOW, WEEK)
    found = x509.load_pem_x509_crl(pem)
    assert [entry.serial_number for entry in found] == [serial]
    assert found.is_signature_valid(certificates.load(authority.certificate).public_key())  # type: ignore[arg-type]
    assert certificates.end_of_list(pem) == NOW + WEEK


def weak(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "red.a.0")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def tampered() -> str:
    der = x509.load_pem_x509_csr(asked().encode()).public_bytes(serialization.Encoding.DER)
    other = der.replace(b"red.a.0", b"red.b.0")
    return x509.load_der_x509_csr(other).public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ("", "no certificate request"),
        ("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "no certificate request"),
        (tampered(), "not signed with its own key"),
        (weak(rsa.generate_private_key(65537, 1024)), "too weak"),
        (weak(ec.generate_private_key(ec.SECP192R1())), "too weak"),
    ],
)
def test_a_wrong_request_is_refused_with_a_sentence(request_: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        certificates.requested_key(request_)


@settings(max_examples=200, deadline=None)
@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_garbage_is_refused_and_never_more_than_that(garbage: str) -> None:
    with pytest.raises(ValueError, match="certificate request"):
        certificates.requested_key(garbage)
