"""The book of an authority: who gets a certificate, who loses it, and what survives a restart."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from kubeslice.plan.keys import authority
from kubeslice.plan.keys.authority import Issued, Request
from kubeslice.plan.keys.keyrecords import Owner

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LATE = NOW + timedelta(days=10)
ALLOWED = authority.owners(["a", "b"], {0: (1, 2)})


def issued(cluster: str = "a", generation: int = 1, key: str = "k", days: float = 9, number: int = 7) -> Issued:
    return Issued(cluster, 0, generation, key, number, NOW + timedelta(days=days), f"PEM {number}")


def request(cluster: str = "a", generation: int = 1, key: str = "k") -> Request:
    return Request(Owner(cluster, 0, generation), key, "CSR")


def test_a_book_is_read_as_it_was_written() -> None:
    book = [issued(), replace(issued("b", 2, number=2**150), revoked=NOW)]
    assert authority.read(authority.written(book)) == book
    assert authority.read("") == []


def test_only_who_is_allowed_and_has_no_good_certificate_gets_one() -> None:
    soon = NOW + timedelta(days=1)
    assert authority.to_sign([], [request(), request("c"), request(generation=3)], ALLOWED, soon, LATE) == [request()]
    assert authority.to_sign([issued()], [request()], ALLOWED, soon, LATE) == []
    assert authority.to_sign([issued(days=0.5)], [request()], ALLOWED, soon, LATE) == [request()]
    assert authority.to_sign([issued()], [request(key="new")], ALLOWED, soon, LATE) == [request(key="new")]
    assert authority.to_sign([replace(issued(), revoked=NOW)], [request()], ALLOWED, soon, LATE) == [request()]


def test_what_was_signed_when_the_clock_was_ahead_is_signed_anew() -> None:
    assert authority.to_sign([issued(days=400)], [request()], ALLOWED, NOW, LATE) == [request()]
    assert authority.to_sign([issued(days=400), issued(number=8)], [request()], ALLOWED, NOW, LATE) == []


def test_who_asks_for_ever_new_keys_gets_no_more_after_a_while() -> None:
    many = [issued(key=f"k{number}", number=number) for number in range(authority.MOST)]
    assert authority.to_sign(many, [request(key="one more"), request("b")], ALLOWED, NOW, LATE) == [request("b")]
    assert authority.excess(many)[0].startswith("a has asked for 16 certificates for plane 0, generation 1")
    assert authority.excess(many[1:]) == []


def test_what_is_not_in_force_is_revoked_until_it_runs_out() -> None:
    book = [issued(), issued("b", number=8), issued("c", number=9), issued(days=-1, number=10)]
    after = authority.closed(book, ALLOWED, NOW)
    assert authority.revoked(after) == [(9, NOW)]
    later = NOW + timedelta(days=1)
    assert authority.closed(after, ALLOWED, later) == after
    assert authority.revoked(authority.closed(after, authority.owners(["a"], {0: (2,)}), later)) == [
        (7, later),
        (8, later),
        (9, NOW),
    ]
    assert authority.closed(after, ALLOWED, NOW + timedelta(days=10)) == []


def test_a_new_key_takes_the_place_of_the_old_one_and_a_renewed_certificate_does_not() -> None:
    book = [issued(), issued(key="new", number=8)]
    assert authority.revoked(authority.closed(book, ALLOWED, NOW)) == [(7, NOW)]
    assert authority.revoked(authority.closed([issued(), issued(number=8)], ALLOWED, NOW)) == []


def test_a_member_is_told_its_own_newest_certificates_and_whom_to_trust() -> None:
    book = [issued(), issued(number=8), issued("b", number=9), replace(issued("a", 2, number=10), revoked=NOW)]
    data = {"ca.crt": "CA", "ca.key": "secret", "crl.pem": "CRL", "certificates.json": authority.written(book)}
    told = authority.told(data, "a")
    assert told == {
        "gatewayCertificates": [{"plane": 0, "generation": 1, "certificate": "PEM 8"}],
        "certificateAuthority": "CA",
        "revocationList": "CRL",
    }
    assert "secret" not in str(told)
    assert authority.told({}, "a") == {}
