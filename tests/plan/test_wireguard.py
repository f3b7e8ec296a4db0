"""Which `wg set` a gateway makes of what it has and what it should have."""

from ipaddress import IPv4Network

from kubeslice.plan import wireguard
from kubeslice.plan.wireguard import Peer, SeenDevice, SeenPeer, settings

EAST = Peer("red-a-east", "KEY-E", ("192.0.2.1:30000", "192.0.2.2:30000"), IPv4Network("10.1.16.0/20"))
WEST = Peer("red-a-west", "KEY-W", (), IPv4Network("10.1.32.0/20"))
SEEN_EAST = SeenPeer("198.51.100.7:4711", frozenset(["10.1.16.0/20"]), 1, 2, 3, 15)
SEEN_WEST = SeenPeer("", frozenset(["10.1.32.0/20"]), 0, 0, 0, 15)


def arguments(seen: SeenDevice, peers: list[Peer], attempts: dict[str, int] | None = None) -> str:
    return " ".join(settings(seen, peers, "/keys/privateKey", "OWN", attempts or {}))


def test_a_new_device_gets_everything_in_one_call_and_no_secret() -> None:
    assert arguments(SeenDevice(), [EAST, WEST]) == (
        "set wg0 private-key /keys/privateKey listen-port 51820 "
        "peer KEY-E allowed-ips 10.1.16.0/20 persistent-keepalive 15 endpoint 192.0.2.1:30000 "
        "peer KEY-W allowed-ips 10.1.32.0/20 persistent-keepalive 15"
    )


def test_a_device_that_agrees_is_left_alone_even_when_its_peer_has_roamed() -> None:
    seen = SeenDevice("OWN", 51820, {"KEY-E": SEEN_EAST, "KEY-W": SEEN_WEST})
    assert arguments(seen, [EAST, WEST]) == ""


def test_only_what_differs_is_set() -> None:
    seen = SeenDevice("OWN", 51820, {"KEY-E": SEEN_EAST, "KEY-X": SEEN_WEST})
    moved = Peer("red-a-east", "KEY-E", EAST.endpoints, IPv4Network("10.1.48.0/20"))
    assert arguments(seen, [moved]) == "set wg0 peer KEY-X remove peer KEY-E allowed-ips 10.1.48.0/20"


def test_a_peer_that_was_given_up_on_tries_its_next_endpoint() -> None:
    seen = SeenDevice("OWN", 51820)
    used = [arguments(seen, [EAST], {"KEY-E": attempt}).rsplit(maxsplit=1)[1] for attempt in range(3)]
    assert used == ["192.0.2.1:30000", "192.0.2.2:30000", "192.0.2.1:30000"]


def test_a_peer_with_our_own_key_is_nobody() -> None:
    assert arguments(SeenDevice("KEY-E", 51820), [EAST]).find("peer") > 0
    assert settings(SeenDevice("KEY-E", 51820), [EAST], "f", "KEY-E", {}) == []


def gateway(name: str, planes: list[dict[str, object]], subnet: str = "10.1.16.0/20") -> dict[str, object]:
    return {"metadata": {"name": name}, "spec": {"remoteSubnet": subnet, "planes": planes}}


def test_peers_are_those_of_the_plane_that_can_be_known() -> None:
    ready = {"plane": 0, "publicKey": "K0", "endpoints": ["192.0.2.1:1"]}
    other = {"plane": 1, "publicKey": "K1"}
    found = wireguard.peers(
        [gateway("b", [ready, other]), gateway("a", [{"plane": 0}]), gateway("c", [ready], subnet="")], plane=0
    )
    assert found == [Peer("b", "K0", ("192.0.2.1:1",), IPv4Network("10.1.16.0/20"))]
