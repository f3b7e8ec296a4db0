"""Which certificates a slice's authority signs and revokes, and what members are told. Pure; `hub.authority` acts.

The book of the authority lists every certificate that has not run out. A certificate is for one cluster, plane and
generation of keys; what is no longer in force is revoked. What the book says is all that a restarted hub needs.
"""

import base64
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from kubeslice.model import names
from kubeslice.plan.keys.generations import Generations
from kubeslice.plan.keys.keyrecords import Owner
from kubeslice.plan.moments import moment, stamp

Object = dict[str, Any]

CA_CERTIFICATE = "ca.crt"
CA_KEY = "ca.key"
REVOKED = "crl.pem"
BOOK = "certificates.json"

AUTHORITY_LIFE = timedelta(days=3650)
# Gateways refuse everybody when their list has run out, so it lives long; what is revoked is told at once.
LIST_LIFE = timedelta(days=60)

# So many certificates a gateway may have at one time; one that makes a new key every minute does not fill the book.
MOST = 16


@dataclass(frozen=True)
class Issued:
    """A certificate in the book; `key` is the fingerprint of its public key."""

    cluster: str
    plane: int
    generation: int
    key: str
    serial: int
    expires: datetime
    certificate: str
    revoked: datetime | None = None

    @property
    def owner(self) -> Owner:
        """Return whose certificate it is."""
        return Owner(self.cluster, self.plane, self.generation)

    def wire(self) -> Object:
        """Return the entry as the book holds it."""
        return self.owner.wire() | {
            "key": self.key,
            "serial": f"{self.serial:x}",
            "expires": stamp(self.expires),
            "certificate": self.certificate,
            "revoked": stamp(self.revoked),
        }


@dataclass(frozen=True)
class Request:
    """A checked request: whose it is, the fingerprint of its key, and the request itself, PEM."""

    owner: Owner
    key: str
    pem: str


def read(book: str) -> list[Issued]:
    """Read a book; "" is an empty one."""
    return [
        Issued(
            *Owner.read(entry),
            str(entry["key"]),
            int(entry["serial"], 16),
            _moment(entry["expires"]),
            str(entry["certificate"]),
            moment(entry.get("revoked")),
        )
        for entry in json.loads(book or "[]")
    ]


def written(issued: Iterable[Issued]) -> str:
    """Return the text of a book."""
    return json.dumps([entry.wire() for entry in issued], indent=1)


def owners(members: Iterable[str], in_force: Generations) -> set[Owner]:
    """Return who may have a certificate."""
    places = [(plane, number) for plane, numbers in in_force.items() for number in numbers]
    return {Owner(cluster, *place) for cluster in members for place in places}


def to_sign(
    issued: Iterable[Issued],
    requests: Iterable[Request],
    allowed: Collection[Owner],
    renewal: datetime,
    latest: datetime,
) -> list[Request]:
    """Return the requests to sign: of gateways without a certificate for this key that is good beyond `renewal`.

    One that ends after `latest`, as none of today does, was signed when the clock was ahead, and is not valid yet.
    """
    entries = list(issued)
    fresh = [entry for entry in entries if entry.revoked is None and renewal < entry.expires <= latest]
    good = {(entry.owner, entry.key) for entry in fresh}
    counts = Counter(entry.owner for entry in entries)
    return [
        asked
        for asked in requests
        if asked.owner in allowed and counts[asked.owner] < MOST and (asked.owner, asked.key) not in good
    ]


def excess(issued: Iterable[Issued]) -> list[str]:
    """Return a sentence for each gateway that has had so many certificates that it gets no more."""
    counts = Counter(entry.owner for entry in issued)
    return [
        f"{cluster} has asked for {count} certificates for plane {plane}, generation {generation}, each for another "
        "key, and gets no more until they run out: look why its keys do not stay"
        for (cluster, plane, generation), count in sorted(counts.items())
        if count >= MOST
    ]


def closed(issued: Iterable[Issued], allowed: Collection[Owner], now: datetime) -> list[Issued]:
    """Return the book with what is not in force revoked, and without what has run out.

    Of several certificates of one owner only those for the key of the last one are in force.
    """
    alive = [entry for entry in issued if entry.expires > now]
    latest = {entry.owner: entry.key for entry in alive}
    return [
        entry
        if entry.revoked or (entry.owner in allowed and latest[entry.owner] == entry.key)
        else replace(entry, revoked=now)
        for entry in alive
    ]


def revoked(issued: Iterable[Issued]) -> list[tuple[int, datetime]]:
    """Return the serial numbers that the revocation list holds, and since when."""
    return [(entry.serial, entry.revoked) for entry in issued if entry.revoked]


def told(data: Mapping[str, str], cluster: str) -> Object:
    """Return what the WorkerSliceConfig of a member says, by the texts in the authority's Secret; {} without one."""
    if CA_CERTIFICATE not in data:
        return {}
    own = {
        (entry.plane, entry.generation): entry.certificate
        for entry in read(data.get(BOOK, ""))
        if entry.cluster == cluster and entry.revoked is None
    }
    certificates = [
        {"plane": plane, "generation": generation, "certificate": pem}
        for (plane, generation), pem in sorted(own.items())
    ]
    return {
        "gatewayCertificates": certificates,
        "certificateAuthority": data[CA_CERTIFICATE],
        "revocationList": data.get(REVOKED, ""),
    }


def texts(secret: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the entries of the authority's Secret as texts; {} without one."""
    data = (secret or {}).get("data") or {}
    return {name: base64.b64decode(value).decode() for name, value in data.items()}


def common_name(slice_name: str, owner: Owner) -> str:
    """Return the common name in a gateway's certificate."""
    return f"{slice_name}.{owner.cluster}.{owner.plane}"


def identity(project: str, slice_name: str, owner: Owner) -> str:
    """Return the URI in a gateway's certificate."""
    return f"kubeslice://{project}/{slice_name}/{owner.cluster}/{owner.plane}"


def labels(project: str, slice_name: str) -> dict[str, str]:
    """Return the labels of the authority's Secret."""
    return {
        names.MANAGED_BY_LABEL: names.HUB_MANAGER,
        names.PROJECT_LABEL: project,
        names.ORIGINAL_SLICE_LABEL: slice_name,
    }


def _moment(text: str) -> datetime:
    found = moment(text)
    assert found is not None, "the book is written here"
    return found
