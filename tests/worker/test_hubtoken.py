"""Which of two tokens a worker shows."""

import base64
from pathlib import Path
from typing import Any

import pytest

from kubeslice.model import names
from kubeslice.worker.hubtoken import HubToken


def secret(brought: str = "", own: str = "") -> dict[str, Any]:
    texts = {names.BROUGHT_TOKEN: brought, names.OWN_TOKEN: own}
    return {
        "metadata": {"name": names.HUB_SECRET},
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in texts.items() if text},
    }


class Kept:
    """An informer of one Secret."""

    def subscribe(self, subscriber: Any) -> None:
        self.put = lambda obj: subscriber(None, obj)


@pytest.fixture
def kept() -> Kept:
    return Kept()


def following(kept: Any) -> HubToken:
    token = HubToken()
    token.follow(kept, "kubeslice-hub")
    return token


def test_what_is_mounted_is_used_until_the_secret_is_seen(tmp_path: Path, kept: Any) -> None:
    assert HubToken.mounted(tmp_path)() == ""
    (tmp_path / "token").write_text("brought\n")
    token = HubToken.mounted(tmp_path)
    assert token() == "brought"
    token.follow(kept, "kubeslice-hub")
    kept.put(secret("brought", "own"))
    assert token() == "own"


def test_its_own_is_used_whatever_else_is_brought(kept: Any) -> None:
    token, turns = following(kept), []
    token.subscribe(lambda: turns.append(token()))
    for brought in ("a", "b", ""):
        kept.put(secret(brought, "own"))
    assert token() == "own"
    assert turns == ["own", "own", "own"], "told of what was brought, too"


def test_what_was_brought_is_tried_when_its_own_is_refused_and_the_other_way_round(kept: Any) -> None:
    token = following(kept)
    kept.put(secret("brought"))
    assert not token.refused()
    kept.put(secret("brought", "own"))
    assert token.refused()
    assert token() == "brought"
    assert not token.refused()
    assert token() == "own"


def test_after_a_refusal_what_is_brought_anew_is_used_at_once(kept: Any) -> None:
    token = following(kept)
    kept.put(secret("old", "revoked"))
    token.refused()
    token.refused()
    assert token() == "revoked"
    kept.put(secret("new", "revoked"))
    assert token() == "new"
    kept.put(secret("new", "own"))
    assert token() == "own"
