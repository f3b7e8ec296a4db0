"""One string that lets a cluster join."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kubeslice.model.errors import Terminal
from kubeslice.plan.tenants import joining
from kubeslice.plan.tenants.joining import JoinToken

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def packed(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def invitation(ends: datetime) -> JoinToken:
    claims = {"iat": int(NOW.timestamp()), "exp": int(ends.timestamp())}
    return JoinToken("https://192.0.2.1:6443", "CA\nof the hub", "shop", "west", f"h.{packed(claims)}.s")


def test_what_is_printed_is_what_is_read_wherever_lines_were_broken() -> None:
    made = invitation(NOW + timedelta(minutes=30))
    printed = joining.encode(made)
    assert printed.isascii()
    assert not set(printed) & set(" \n'\"$&")
    assert made.token not in repr(made)
    assert joining.decode(f" {printed[:70]}\n  {printed[70:]}\n", NOW) == made


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no join token"),
        ("eyJhbGciOi.JIUzI1NiIs", "no join token"),
        ("kubeslice-join-2.abc", "version 2"),
        (joining.encode(invitation(NOW + timedelta(hours=1)))[:-30], "not whole"),
        (joining.PREFIX + packed([1]), "not whole"),
        (joining.PREFIX + packed({"endpoint": "x"}), "not whole"),
        (joining.encode(invitation(NOW)), "ended at 2026-03-01T12:00:00Z.*join-token west --project shop"),
    ],
)
def test_what_cannot_be_used_is_named_with_a_remedy(text: str, says: str) -> None:
    with pytest.raises(Terminal, match=says):
        joining.decode(text, NOW)


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("1h30m", 5400), ("24h", 86400), ("600s", 600)])
def test_a_life_is_read(text: str, seconds: int) -> None:
    assert joining.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "soon", "9m", "25h", "-30m", "1d"])
def test_a_life_that_does_not_do_is_refused(text: str) -> None:
    with pytest.raises(Terminal, match=r"30m or 1h30m|from 10m to 24h"):
        joining.seconds(text)
