"""The webhook's own certificate authority and serving certificate: when to make them anew. `identity` keeps them.

Keys are made here, in the cluster that uses them. Only the authority's certificate leaves, as the `caBundle` of a
webhook configuration.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kubeslice.runtime import certificates
from kubeslice.runtime.certificates import Certified

AUTHORITY_LIFE = timedelta(days=3650)
SERVING_LIFE = timedelta(days=365)


@dataclass(frozen=True)
class Identity:
    """PEM texts: `bundle` is what clients trust, newest authority first; the rest is ours alone."""

    bundle: bytes
    authority_key: bytes
    certificate: bytes
    key: bytes


def renewed(current: Identity | None, host: str, now: datetime) -> Identity:
    """Return an identity for `host` that is good for long; `current` itself when it still is.

    An authority is replaced long before it ends, and the old one stays in the bundle until then, so that replicas that
    still serve the old certificate stay trusted.
    """
    if current is None:
        return _first(host, now)
    if certificates.is_worn(current.bundle, now):
        fresh = _first(host, now)
        return replace(fresh, bundle=fresh.bundle + _newest(current.bundle))
    if certificates.is_worn(current.certificate, now) or not certificates.covers(current.certificate, [host]):
        serving = _serving(Certified(current.bundle, current.authority_key), host, now)
        return replace(current, certificate=serving.certificate, key=serving.key)
    return current


def _first(host: str, now: datetime) -> Identity:
    authority = certificates.authority(f"kubeslice-webhook-{now:%Y%m%d%H%M%S}", now, AUTHORITY_LIFE)
    serving = _serving(authority, host, now)
    return Identity(authority.certificate, authority.key, serving.certificate, serving.key)


def _serving(authority: Certified, host: str, now: datetime) -> Certified:
    return certificates.issue(authority, host, now, SERVING_LIFE, hosts=[host])


def _newest(bundle: bytes) -> bytes:
    end = b"-----END CERTIFICATE-----\n"
    return bundle[: bundle.index(end) + len(end)]
