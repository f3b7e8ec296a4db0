"""The token with which a cluster joins: one string that says which hub, as which cluster, and proves it for a while.

`kubeslice cluster join-token` writes it, `kubeslice worker join` reads it. Pure.
"""

import base64
import json
import re
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from kubeslice.model.errors import Terminal
from kubeslice.plan.moments import stamp
from kubeslice.plan.tenants import credentials

# Says what it is to people and to scanners for leaked secrets; the number is the version of what follows.
PREFIX = "kubeslice-join-1."
_ANY_VERSION = re.compile(r"kubeslice-join-(\d+)\.")
_TIME = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
LONGEST = timedelta(hours=24)


@dataclass(frozen=True)
class JoinToken:
    """What a cluster needs to join: the hub's `endpoint` and certificate authority, and a credential for a while."""

    endpoint: str
    ca: str
    project: str
    cluster: str
    token: str = field(repr=False)

    @property
    def ends(self) -> datetime | None:
        """Return when the credential in it ends."""
        found = credentials.read(self.token)
        return found.expires if found else None


def encode(token: JoinToken) -> str:
    """Return the string for people: no spaces, quotes or line breaks."""
    text = json.dumps(asdict(token), separators=(",", ":"))
    return PREFIX + base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode(text: str, now: datetime) -> JoinToken:
    """Read the string. Raises `Terminal` with what to do when it is none, is not whole, or has ended."""
    cleaned = "".join(text.split())
    version = _ANY_VERSION.match(cleaned)
    if version and not cleaned.startswith(PREFIX):
        raise Terminal(f"the join token is of version {version[1]}: use the kubeslice of the hub, this one reads 1")
    payload = cleaned.removeprefix(PREFIX)
    if payload == cleaned:
        raise Terminal(
            f"this is no join token, those begin with {PREFIX}: make one with `kubeslice cluster join-token`"
        )
    try:
        told = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        token = JoinToken(**{name: str(told[name]) for name in JoinToken.__dataclass_fields__})
    except (ValueError, TypeError, KeyError) as error:
        raise Terminal(
            "the join token is not whole: copy all of what `kubeslice cluster join-token` printed"
        ) from error
    if token.ends is not None and token.ends <= now:
        again = f"kubeslice cluster join-token {token.cluster} --project {token.project}"
        raise Terminal(f"the join token ended at {stamp(token.ends)}: make another with `{again}`")
    return token


def longest_seconds(credential_seconds: int) -> int:
    """Return how long a token of a worker's account may live, where workers get tokens of `credential_seconds`."""
    return max(credential_seconds, int(LONGEST.total_seconds()))


def seconds(text: str) -> int:
    """Read how long a token is to live, such as 30m or 1h30m. Raises `Terminal` for what is not such a time."""
    found = _TIME.fullmatch(text.strip())
    if not found or not any(found.groups()):
        raise Terminal(f"{text!r} is not a time: write something like 30m or 1h30m")
    hours, minutes, rest = (int(part or 0) for part in found.groups())
    life = hours * 3600 + minutes * 60 + rest
    if not credentials.SHORTEST_SECONDS <= life <= LONGEST.total_seconds():
        raise Terminal(f"{text!r} does not do: a token to join with lives from 10m to 24h")
    return life
