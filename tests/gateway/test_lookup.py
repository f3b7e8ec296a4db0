"""Endpoints with names: looked up, remembered, and left alone where nobody knows them."""

import socket
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from kubeslice.gateway.lookup import Lookup
from kubeslice.plan.tunnels.peers import Generation, Peer


def generation(*endpoints: str) -> Generation:
    subnet = IPv4Network("10.1.16.0/20")
    peer = Peer("east", "red-west-east", subnet, (subnet,), endpoints=endpoints)
    return Generation(1, IPv4Address("10.1.0.8"), 1420, (peer,))


async def endpoints(lookup: Lookup, *wanted: str) -> tuple[str, ...]:
    (found,) = await lookup.resolved([generation(*wanted)])
    return found.peers[0].endpoints


async def test_addresses_stay_what_they_are() -> None:
    assert await endpoints(Lookup(), "192.0.2.1:30000", "[2001:db8::1]:1") == ("192.0.2.1:30000", "[2001:db8::1]:1")


async def test_a_name_becomes_its_addresses() -> None:
    assert await endpoints(Lookup(), "localhost:30000", "192.0.2.1:1") == ("127.0.0.1:30000", "192.0.2.1:1")


async def test_the_last_answer_counts_while_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    lookup = Lookup()
    assert await endpoints(lookup, "localhost:1") == ("127.0.0.1:1",)

    def silent(*_: Any, **__: Any) -> None:
        raise socket.gaierror("no name server")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    assert await endpoints(lookup, "localhost:1", "balancer.invalid:2") == ("127.0.0.1:1", "balancer.invalid:2")
