"""Which engine a gateway takes, and what it says when it can have none."""

import pytest

from kubeslice.gateway import engine
from kubeslice.linux import netns
from kubeslice.runtime.settings import MissingSetting
from tests.kernel import Kernel


def test_an_unknown_engine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(MissingSetting, match="write kernel or userspace"):
        engine.choose("magic", lambda: None)


@pytest.mark.kernel
def test_a_program_carries_wireguard_when_it_is_wished(kernel: Kernel) -> None:
    with netns.inside(kernel.namespace()):
        found = engine.choose("userspace", lambda: None)
    assert (found.kind, found.program is not None) == ("tun", True)
    assert found.description.startswith("wireguard-go")


def test_a_program_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingSetting, match="install wireguard-go"):
        engine.choose("userspace", lambda: None)
