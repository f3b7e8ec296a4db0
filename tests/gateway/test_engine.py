"""What WireGuard as an engine says when it cannot be one."""

from ipaddress import IPv4Address

import pytest

from kubeslice.gateway.wireguard import WireGuard
from kubeslice.model.errors import Terminal
from kubeslice.plan.tunnels.peers import Generation
from kubeslice.runtime.settings import MissingSetting


def test_an_unknown_engine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(MissingSetting, match="write kernel or userspace"):
        WireGuard("magic", lambda: None)


async def test_a_program_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Terminal, match="no wireguard-go: install it"):
        await WireGuard("userspace", lambda: None).ensure(Generation(1, IPv4Address("10.1.0.8"), 1420, ()))
