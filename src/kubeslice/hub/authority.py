"""The certificate authority of a slice with OpenVPN gateways: signs, revokes, keeps its book. Called by `hub.rotation`.

All it has is one Secret in the hub's own namespace, which the hub alone reads. The Secret is written before anybody is
told of a certificate, and only if it is as it was read: what was signed is never lost, so it can be revoked.
"""

import base64
import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from kubeslice.hub.caches import Caches
from kubeslice.hub.groups import SliceName
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import AlreadyExists
from kubeslice.model import names
from kubeslice.model.errors import Retry
from kubeslice.model.resources import SECRETS
from kubeslice.plan.keys import authority
from kubeslice.plan.keys.authority import BOOK, CA_CERTIFICATE, CA_KEY, REVOKED, Issued, Request
from kubeslice.plan.keys.keyrecords import Owner
from kubeslice.plan.keys.rotation import Schedule
from kubeslice.runtime import certificates
from kubeslice.runtime.certificates import Certified

Texts = dict[str, str]


def checked(asked: Mapping[Owner, str]) -> tuple[list[Request], list[str]]:
    """Return the requests that can be signed, and a sentence for each other one."""
    good, problems = [], []
    for owner, pem in sorted(asked.items()):
        try:
            key = certificates.requested_key(pem)
        except ValueError as error:
            problems.append(
                f"the certificate request of {owner.cluster} for plane {owner.plane}, generation {owner.generation} "
                f"{error}: delete the Secret of that gateway in {owner.cluster}, so that a new one is made"
            )
            continue
        good.append(Request(owner, hashlib.sha256(key).hexdigest()[:16], pem))
    return good, problems


@dataclass(frozen=True)
class Authority:
    """Looks after the authorities of slices."""

    api: Api
    caches: Caches

    async def ensure(
        self, name: SliceName, allowed: Collection[Owner], asked: Iterable[Request], plan: Schedule, now: datetime
    ) -> list[str]:
        """Sign what is asked for by whom it is allowed, revoke the rest; return sentences about what is not signed.

        Raises `Conflict` or `Retry` when the Secret is not as the cache shows it.
        """
        seen = self._seen(name)
        before = authority.texts(seen)
        after = _authority(name, before, now)
        book = authority.read(before.get(BOOK, ""))
        after[BOOK] = authority.written(_continued(name, after, book, allowed, asked, plan, now))
        after[REVOKED] = _revocations(before, after, now)
        if seen is None:
            await self._create(name, after)
        elif after != before:
            await self._change(seen, after)
        return authority.excess(authority.read(after[BOOK]))

    def _seen(self, name: SliceName) -> Object | None:
        return self.caches.secrets.get(names.slice_authority(*name), names.HUB_NAMESPACE)

    async def _create(self, name: SliceName, data: Texts) -> None:
        metadata = {"name": names.slice_authority(*name), "namespace": names.HUB_NAMESPACE}
        secret = {"metadata": {**metadata, "labels": authority.labels(*name)}, "data": _encoded(data)}
        try:
            await self.api.create(SECRETS, secret)
        except AlreadyExists as error:
            raise Retry(f"the authority of slice {name.name} is there already, and not known here yet") from error

    async def _change(self, seen: Object, data: Texts) -> None:
        change = {"metadata": {"resourceVersion": seen["metadata"]["resourceVersion"]}, "data": _encoded(data)}
        await self.api.patch(SECRETS, objects.name(seen), names.HUB_NAMESPACE, change)


def _encoded(data: Texts) -> Texts:
    return {name: base64.b64encode(text.encode()).decode() for name, text in data.items()}


def _authority(name: SliceName, before: Texts, now: datetime) -> Texts:
    """Return the entries with the authority itself: the one that is there, renewed when little of its life is left."""
    if not before.get(CA_KEY):
        made = certificates.authority(f"KubeSlice {name.project} {name.name}"[:64], now, authority.AUTHORITY_LIFE)
    elif certificates.is_worn(before[CA_CERTIFICATE].encode(), now):
        made = certificates.renewed(_certified(before), now, authority.AUTHORITY_LIFE)
    else:
        return dict(before)
    return {**before, CA_CERTIFICATE: made.certificate.decode(), CA_KEY: made.key.decode()}


def _continued(
    name: SliceName,
    data: Texts,
    book: list[Issued],
    allowed: Collection[Owner],
    asked: Iterable[Request],
    plan: Schedule,
    now: datetime,
) -> list[Issued]:
    book = authority.closed(book, allowed, now)
    wanted = authority.to_sign(book, asked, allowed, now + plan.margin / 2, now + _life(plan))
    return authority.closed([*book, *(_signed(name, data, request, plan, now) for request in wanted)], allowed, now)


def _signed(name: SliceName, data: Texts, asked: Request, plan: Schedule, now: datetime) -> Issued:
    life = _life(plan)
    common_name = authority.common_name(name.name, asked.owner)
    identity = authority.identity(name.project, name.name, asked.owner)
    pem = certificates.signed(_certified(data), asked.pem, common_name, identity, now, life)
    return Issued(*asked.owner, asked.key, certificates.serial(pem), now + life, pem.decode())


def _revocations(before: Texts, after: Texts, now: datetime) -> str:
    """Return the revocation list: the one that is there, unless other serials are revoked or half its life is over."""
    revoked = authority.revoked(authority.read(after[BOOK]))
    is_same = before.get(REVOKED) and revoked == authority.revoked(authority.read(before.get(BOOK, "")))
    if is_same:
        left = certificates.end_of_list(before[REVOKED].encode()) - now
        if authority.LIST_LIFE / 2 < left <= authority.LIST_LIFE:  # what is left of more was made by a wrong clock
            return before[REVOKED]
    return certificates.revocation_list(_certified(after), revoked, now, authority.LIST_LIFE).decode()


def _life(plan: Schedule) -> timedelta:
    return plan.period + plan.margin


def _certified(data: Texts) -> Certified:
    return Certified(data[CA_CERTIFICATE].encode(), data[CA_KEY].encode())
