"""What OpenVPN processes are told, and what cannot get into it from other clusters."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.plan.tunnels import openvpn
from kubeslice.plan.tunnels.openvpn import Credential, Role, Surroundings
from kubeslice.plan.tunnels.peers import Generation, Peer

OWN = Credential("-----BEGIN KEY-----\nk\n", "-----BEGIN CERTIFICATE-----\nc\n", "-----BEGIN CERTIFICATE-----\na\n")
SUBNET = IPv4Network("10.1.2.0/24")


def peer(remote: str = "far", host_type: str = "Client", endpoints: tuple[str, ...] = ("192.0.2.1:30000",)) -> Peer:
    return Peer(remote, f"red-near-{remote}", SUBNET, (SUBNET,), endpoints=endpoints, host_type=host_type)


def generation(*peers: Peer, number: int = 1) -> Generation:
    return Generation(number, IPv4Address("10.1.1.8"), 1420, peers)


def text(role: Role, around: Surroundings = Surroundings()) -> list[str]:  # noqa: B008 - frozen
    return openvpn.configuration(role, OWN, around).splitlines()


def test_one_server_for_all_callers_and_a_client_for_each_that_is_called() -> None:
    peers = peer("a"), peer("b", "Server"), peer("c", "Server"), peer("d"), peer("e", endpoints=())
    roles = openvpn.roles(generation(*peers), "red", 1)
    assert [sorted(role.callers) for role in roles if role.remote is None] == [["red.b.1", "red.c.1"]]
    assert {role.expected for role in roles if role.remote} == {"red.a.1", "red.d.1"}, "e cannot be called"
    assert {role.device for role in roles} == {openvpn.device(1, one) for one in peers[:4]}
    assert {role.port for role in roles} == {51821}


def test_protocols_are_apart() -> None:
    stream = replace(peer("b", "Server"), protocol="TCP")
    roles = openvpn.roles(generation(peer("a", "Server"), stream), "red", 0)
    assert [role.device for role in roles] == ["ovpn1-tcp", "ovpn1-udp"]
    assert "proto tcp4-server" in text(roles[0])
    assert "proto udp4" in text(roles[1])
    assert "proto udp6" in text(roles[1], Surroundings(ipv6=True)), "which is both families"


@pytest.mark.parametrize("number", [1, 2, 99_999])
def test_devices_have_names_that_the_kernel_takes(number: int) -> None:
    one, other = openvpn.device(number, peer("a" * 20)), openvpn.device(number + 1, peer("a" * 20))
    assert len(one) <= 15
    assert one != other
    assert one == openvpn.device(number + 2, peer("a" * 20))
    assert one.startswith(openvpn.device_prefix(number))


def test_who_is_called_has_to_be_who_was_meant() -> None:
    (role,) = openvpn.roles(generation(peer()), "red", 0)
    lines = text(role)
    assert "verify-x509-name red.far.0 name" in lines
    assert [line for line in lines if line.startswith("pull-filter")][-1] == 'pull-filter ignore ""'
    assert "route-noexec" in lines
    assert "ifconfig-noexec" in lines


def test_the_kernel_carries_what_it_can() -> None:
    client, server = openvpn.roles(generation(peer("a"), peer("b", "Server")), "red", 0)
    if client.remote is None:
        client, server = server, client
    around = Surroundings(offload=True)
    assert "disable-dco" not in text(client, around)
    assert "disable-dco" in text(server, around)
    assert "disable-dco" in text(replace(client, cipher="AES-256-CBC"), around)
    assert "disable-dco" in text(client)


def test_a_server_admits_nobody_by_itself() -> None:
    (role,) = openvpn.roles(generation(peer(host_type="Server")), "red", 0)
    assert "management-client-auth" in text(role)
    assert "crl-verify /somewhere/crl.pem" in text(role, Surroundings(revoked_file="/somewhere/crl.pem"))


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        ("", "AES-256-GCM:CHACHA20-POLY1305"),
        ("AES-256-GCM", "AES-256-GCM:CHACHA20-POLY1305"),
        ("CHACHA20-POLY1305", "CHACHA20-POLY1305:AES-256-GCM"),
        ("AES-128-GCM", "AES-128-GCM:AES-256-GCM:CHACHA20-POLY1305"),
        ("AES-256-CBC", "AES-256-CBC"),
        ("none", "AES-256-GCM:CHACHA20-POLY1305"),
        ("AES-256-GCM\nscript-security 2", "AES-256-GCM:CHACHA20-POLY1305"),
    ],
)
def test_ciphers(asked: str, offered: str) -> None:
    (role,) = openvpn.roles(generation(replace(peer(), cipher=asked)), "red", 0)
    lines = text(role)
    assert f"data-ciphers {offered}" in lines
    assert ("auth SHA256" in lines) == offered.endswith("CBC")
    assert not any("script" in line for line in lines)


def test_what_is_added_to_a_packet() -> None:
    assert openvpn.overhead("AES-256-GCM", "UDP") == 32
    assert openvpn.overhead("AES-128-CBC", "UDP") == 80
    assert openvpn.overhead("AES-256-GCM", "TCP") == 58


@pytest.mark.parametrize(
    ("announced", "called"),
    [
        ("192.0.2.1:30000", [("192.0.2.1", 30000)]),
        ("[2001:db8::1]:30000", [("2001:db8::1", 30000)]),
        ("lb.example.org:51821", [("lb.example.org", 51821)]),
        ("192.0.2.1:0", []),
        ("192.0.2.1:70000", []),
        ("2001:db8::1:30000", []),
        ("192.0.2.1 tcp\nup /bin/sh:1", []),
        ("-x:1", []),
    ],
)
def test_endpoints(announced: str, called: list[tuple[str, int]]) -> None:
    assert openvpn.callable_at(peer(endpoints=(announced,))) == called


PIECES = st.lists(
    st.sampled_from(["</cert>", "</ca>", "<", " ", "\t", "\n", "\r", "\x0b", "\u2028", "up /x", "a" * 255])
)
TEXTS = PIECES.map("".join)


@given(TEXTS, TEXTS)
def test_nothing_from_elsewhere_ends_its_section(certificate: str, authority: str) -> None:
    (role,) = openvpn.roles(generation(peer()), "red", 0)
    made = openvpn.configuration(role, Credential("k", certificate, authority), Surroundings())
    known = openvpn.configuration(role, Credential("k", "", ""), Surroundings())
    assert _outside(made) == _outside(known)


def _outside(text: str) -> list[str]:
    """Return the options of a configuration as OpenVPN reads it: 255 bytes at a time, without leading white space."""
    found, section = [], ""
    pieces = [line[start : start + 255] for line in text.split("\n") for start in range(0, max(1, len(line)), 255)]
    for piece in pieces:
        if section and piece.lstrip().startswith(f"</{section}>"):
            section = ""
        elif not section:
            found.append(piece)
            section = piece[1:-1] if piece.startswith("<") else ""
    return found


def test_a_credential_is_whole_or_none() -> None:
    secret = {"tls-1.key": "k", "tls-1.crt": "c", "ca.crt": "a"}
    assert openvpn.credential(secret, 1) == Credential("k", "c", "a")
    assert openvpn.credential(secret, 2) is None
    assert openvpn.credential({**secret, "tls-1.crt": ""}, 1) is None
    assert "k" not in repr(Credential("k", "c", "a")).replace("key", "")


def test_another_key_is_another_process_and_another_signature_is_not() -> None:
    (role,) = openvpn.roles(generation(peer()), "red", 0)
    around = Surroundings()
    first = openvpn.fingerprint(role, OWN, around)
    assert openvpn.fingerprint(role, replace(OWN, certificate="other", authority="other"), around) == first
    assert openvpn.fingerprint(role, replace(OWN, key="other"), around) != first
