"""What `wg` is told of what a device has and what it should have."""

import base64
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from kubeslice.model.errors import Terminal
from kubeslice.plan.tunnels import wireguard
from kubeslice.plan.tunnels.peers import Generation, Peer
from kubeslice.plan.tunnels.wireguard import Orders, SeenDevice, SeenEntry, calls, orders, sound


def key(number: int) -> str:
    return base64.b64encode(bytes([number]) * 32).decode()


OWN, OWN_PUBLIC = key(1), key(2)
EAST = Peer(
    "east",
    "red-a-east",
    IPv4Network("10.1.16.0/20"),
    (IPv4Network("10.1.16.0/20"), IPv4Network("10.1.48.0/20")),
    key(3),
    ("192.0.2.1:30000", "[2001:db8::1]:30000"),
    key(4),
)
WEST = Peer("west", "red-a-west", IPv4Network("10.1.32.0/20"), (IPv4Network("10.1.32.0/20"),), key(5), (), key(6))
SEEN_EAST = SeenEntry("198.51.100.7:4711", frozenset(["10.1.16.0/20", "10.1.48.0/20"]), 1, 2, 3, 15, key(4))
SEEN_WEST = SeenEntry("", frozenset(["10.1.32.0/20"]), 0, 0, 0, 15, key(6))
SEEN = SeenDevice(OWN_PUBLIC, 51820, {key(3): SEEN_EAST, key(5): SEEN_WEST})


def generation(*peers: Peer, number: int = 2) -> Generation:
    return Generation(number, IPv4Address("10.1.0.8"), 1420, peers, {f"privateKey-{number}": OWN})


def told(seen: SeenDevice, *peers: Peer, former: dict[str, set[str]] | None = None, number: int = 2) -> Orders:
    one = generation(*peers, number=number)
    return orders(seen, one, sound(one, OWN_PUBLIC)[0], OWN_PUBLIC, former or {})


def test_a_new_device_gets_everything_through_the_pipe() -> None:
    found = told(SeenDevice(), EAST, WEST)
    assert found.words == ()
    assert found.text.splitlines() == [
        "[Interface]",
        f"PrivateKey = {OWN}",
        "ListenPort = 51820",
        "[Peer]",
        f"PublicKey = {key(3)}",
        f"PresharedKey = {key(4)}",
        "AllowedIPs = 10.1.16.0/20, 10.1.48.0/20",
        "PersistentKeepalive = 15",
        "Endpoint = 192.0.2.1:30000",
        "[Peer]",
        f"PublicKey = {key(5)}",
        f"PresharedKey = {key(6)}",
        "AllowedIPs = 10.1.32.0/20",
        "PersistentKeepalive = 15",
    ]
    assert OWN not in repr(found)
    assert key(4) not in repr(found)


def test_generations_have_ports_of_their_own() -> None:
    assert "ListenPort = 51821\n" in told(SEEN, EAST, WEST, number=3).text
    assert not told(SEEN, EAST, WEST, number=4)


def test_a_device_that_agrees_is_left_alone_even_when_its_peer_has_roamed() -> None:
    assert not told(SEEN, EAST, WEST)


@pytest.mark.parametrize(
    "change",
    [{"allowed": (IPv4Network("10.1.16.0/20"),)}, {"psk": key(9)}],
)
def test_a_peer_whose_settings_changed_is_told_them_and_keeps_its_endpoint(change: dict[str, object]) -> None:
    found = told(SEEN, replace(EAST, **change), WEST)  # type: ignore[arg-type]
    assert found.words == ()
    assert found.text.count("[Peer]") == 1
    assert "Endpoint" not in found.text


def test_a_stranger_is_forgotten() -> None:
    assert told(SEEN, EAST) == Orders(("peer", key(5), "remove"))


def test_a_peer_that_left_an_announced_endpoint_is_followed_and_one_behind_translation_stays() -> None:
    moved = replace(EAST, endpoints=("192.0.2.9:30000",))
    assert not told(SEEN, moved, WEST, former={key(3): {"192.0.2.1:30000"}})
    seen = replace(SEEN, peers={**SEEN.peers, key(3): replace(SEEN_EAST, endpoint="192.0.2.1:30000")})
    assert not told(seen, EAST, WEST, former={key(3): {"192.0.2.1:30000"}})
    found = told(seen, moved, WEST, former={key(3): {"192.0.2.1:30000"}})
    assert found == Orders(("peer", key(3), "endpoint", "192.0.2.9:30000"))


def test_silent_peers_are_met_anew_at_their_next_endpoint() -> None:
    known, _ = sound(generation(EAST, WEST), OWN_PUBLIC)
    used = []
    for attempt in range(3):
        forget, meet = calls(known, {"east": attempt, "west": attempt})
        assert forget == Orders(("peer", key(3), "remove")), "nobody knows where to call the west"
        used.append(meet.text.splitlines()[-1])
    assert used == ["Endpoint = 192.0.2.1:30000", "Endpoint = [2001:db8::1]:30000", "Endpoint = 192.0.2.1:30000"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"public_key": ""}, "announces no public key yet"),
        ({"public_key": "garbage"}, "announces a malformed public key"),
        ({"public_key": base64.b64encode(bytes(31)).decode()}, "announces a malformed public key"),
        ({"public_key": OWN_PUBLIC}, "announces our own public key"),
        ({"public_key": key(3)}, "announces the public key of another cluster"),
        ({"psk": ""}, "has no pre-shared key for it yet"),
        ({"psk": "x" * 44}, "has a malformed pre-shared key for it"),
        ({"psk": key(1)[:-1] + "\n"}, "has a malformed pre-shared key for it"),
        ({"allowed": EAST.allowed[1:]}, "has the subnet of east"),
        ({"endpoints": ("gateway.example:30000", "192.0.2.1", "192.0.2.1:0")}, "none of its endpoints is an address"),
        ({"endpoints": ("2001:db8::1:30000", "[192.0.2.1]:1", "192.0.2.1:x\nPrivateKey = y")}, "none of its endpoints"),
    ],
)
def test_a_peer_that_cannot_be_is_left_out_with_the_reason_and_harms_no_other(
    change: dict[str, object], reason: str
) -> None:
    known, problems = sound(generation(EAST, replace(WEST, **change)), OWN_PUBLIC)  # type: ignore[arg-type]
    assert known == {key(3): EAST}
    assert problems.keys() == {"west"}
    assert problems["west"].startswith("west is left out: ")
    assert reason in problems["west"]


def test_garbage_beside_a_sound_endpoint_does_no_harm() -> None:
    found = told(SeenDevice(), replace(EAST, endpoints=("garbage", "192.0.2.1:30000")))
    assert "Endpoint = 192.0.2.1:30000" in found.text


@pytest.mark.parametrize("text", ["", "garbage", "x" * 44])
def test_a_gateway_without_a_sound_key_says_so_and_not_the_key(text: str) -> None:
    one = replace(generation(EAST), secret={"privateKey-2": text})
    with pytest.raises(Terminal, match="privateKey-2") as refusal:
        wireguard.private_key(one)
    assert not text or text not in str(refusal.value)
