"""Settings from the environment: what does not do is named with what to write instead."""

import pytest

from kubeslice.runtime import settings
from kubeslice.runtime.settings import MissingSetting


@pytest.mark.parametrize(("text", "found"), [("", 3.5), ("12", 12.0), ("2.5", 2.5)])
def test_a_time_may_have_fractions(monkeypatch: pytest.MonkeyPatch, text: str, found: float) -> None:
    monkeypatch.setenv("LEASE_SECONDS", text)
    assert settings.seconds("LEASE_SECONDS", 3.5, least=2) == found


@pytest.mark.parametrize("text", ["1.9", "-3", "nan", "inf", "1e3", "1.2.3", ".", "6s"])
def test_what_is_no_time_or_too_short_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("LEASE_SECONDS", text)
    with pytest.raises(MissingSetting, match="does not do: write seconds, 2 or more"):
        settings.seconds("LEASE_SECONDS", 3.5, least=2)
