"""When a worker renews its credential, and what the hub makes of what it reports."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kubeslice.model import names
from kubeslice.model.cluster import Cluster
from kubeslice.plan.tenants import credentials
from kubeslice.plan.tenants.credentials import Token

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = 3600


def token(claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"header.{payload}.signature"


def own(age: float = 0.0, life: float = 24.0) -> Token:
    issued = NOW - timedelta(hours=age)
    return Token("u1", issued, issued + timedelta(hours=life))


def test_a_token_says_whose_it_is_and_how_long_it_lives() -> None:
    begin = int(NOW.timestamp())
    private = {"namespace": "p", "serviceaccount": {"name": "w", "uid": "u1"}}
    read = credentials.read(token({"iat": begin, "exp": begin + HOUR, "kubernetes.io": private}))
    assert read == Token("u1", NOW, NOW + timedelta(hours=1))
    assert read.is_own
    to_join = credentials.read(token({"iat": begin, "exp": begin + HOUR, "kubernetes.io": {**private, "secret": {}}}))
    assert to_join is not None
    assert not to_join.is_own
    of_a_secret = credentials.read(token({"kubernetes.io/serviceaccount/service-account.uid": "u1"}))
    assert of_a_secret == Token("u1")
    assert not of_a_secret.is_own


@pytest.mark.parametrize(
    "text", ["", "guess", "a.b.c", "a.!!.c", token([]), token({"exp": "soon"}), token({"exp": 10**30}), token("x")]
)
def test_what_is_no_token_is_not_taken_for_one(text: str) -> None:
    assert credentials.read(text) is None


@pytest.mark.parametrize(
    ("held", "seconds", "hours"),
    [
        (own(), 24 * HOUR, 16),
        (own(age=16), 24 * HOUR, 0),
        (own(), 3 * HOUR, 2),
        (own(life=3), 24 * HOUR, 2),
        (own(age=30), 24 * HOUR, -14),
    ],
    ids=["fresh", "a third is left", "the hub wants shorter ones", "the server grants shorter ones", "ended"],
)
def test_a_third_of_its_life_is_left_when_a_token_is_renewed(held: Token, seconds: int, hours: int) -> None:
    assert credentials.due(held, seconds) == NOW + timedelta(hours=hours)


def test_what_a_worker_joins_with_is_renewed_at_once() -> None:
    assert credentials.due(Token("u1"), HOUR) is None
    assert credentials.due(Token("u1", NOW, NOW + timedelta(minutes=30), is_bound=True), HOUR) is None


def test_what_is_brought_later_than_its_own_is_answered_by_another_of_its_own() -> None:
    to_join = Token("u1", NOW, NOW + timedelta(minutes=30), is_bound=True)
    assert credentials.due(own(age=1), 24 * HOUR, to_join) is None
    assert credentials.due(own(), 24 * HOUR, to_join) is not None
    assert credentials.due(own(age=1), 24 * HOUR, Token("u1")) is not None


def cluster(told: Token | None = None, **wishes: Any) -> Cluster:
    status = {"credential": told.wire()} if told else {}
    return Cluster.parse({"metadata": {"name": "west"}, "spec": {"credential": wishes}, "status": status})


def account(uid: str = "u1", revision: str = "") -> dict[str, Any]:
    annotations = {names.CREDENTIAL_REVISION_ANNOTATION: revision} if revision else {}
    return {"metadata": {"name": "w", "uid": uid, "annotations": annotations}}


@pytest.mark.parametrize(
    ("seen", "present", "is_revoked", "is_held", "wants_secret"),
    [
        (cluster(), None, False, False, True),
        (cluster(), account(), False, False, True),
        (cluster(own()), account(), False, True, False),
        (cluster(own(), keepSecret=True), account(), False, True, True),
        (cluster(own(age=24)), account(), False, False, True),
        (cluster(own()), account(uid="u2"), False, False, True),
        (cluster(own()), None, False, False, True),
        (cluster(own(), revision="2"), account(), True, False, True),
        (cluster(own(), revision="2"), account(revision="2"), False, True, False),
        (cluster(own()), account(revision="2"), True, False, True),
    ],
    ids=[
        "nothing yet",
        "not joined",
        "joined",
        "joined, Secret kept",
        "ended",
        "of the account before",
        "account gone",
        "to be revoked",
        "joined again",
        "revision taken back",
    ],
)
def test_the_secret_to_join_with_is_there_while_the_worker_has_nothing_better(
    seen: Cluster, present: dict[str, Any] | None, is_revoked: bool, is_held: bool, wants_secret: bool
) -> None:
    found = credentials.custody(seen, present, NOW)
    assert (found.is_revoked, found.held_until is not None, found.wants_secret) == (is_revoked, is_held, wants_secret)


def test_a_failure_says_how_much_time_is_left() -> None:
    assert "it ends at 2026-03-02T12:00:00Z" in credentials.not_renewed(own(), "no answer").message
    assert "as long as the hub accepts it" in credentials.not_renewed(Token("u1"), "no answer").message
