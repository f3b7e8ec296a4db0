"""The conversation with OpenVPN: who is admitted, who is sent away, what is remembered; and garbage harms nothing."""

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from kubeslice.plan.tunnels import openvpn_problems
from kubeslice.plan.tunnels.openvpn_talk import Client, Server
from kubeslice.plan.tunnels.peers import Peer

SUBNET = IPv4Network("10.1.2.0/24")
FAR = Peer("far", "red-near-far", SUBNET, (SUBNET,))
CALLERS = {"red.far.0": FAR}


def told(server: Server, lines: Iterable[str], now: float = 1000.5) -> list[str]:
    return [answer for line in lines for answer in server.hear(line, now)]


def connecting(client: int, name: str = "red.far.0", serial: int = 7, kind: str = "CONNECT") -> list[str]:
    environment = ["untrusted_ip=192.0.2.9", "untrusted_port=4000", f"common_name={name}", f"tls_serial_0={serial}"]
    return [f">CLIENT:{kind},{client},1", *(f">CLIENT:ENV,{entry}" for entry in environment), ">CLIENT:ENV,END"]


def established(client: int) -> list[str]:
    return [f">CLIENT:ESTABLISHED,{client}", ">CLIENT:ENV,time_unix=1", ">CLIENT:ENV,END"]


def a_server(*clients: int) -> Server:
    server = Server(CALLERS)
    server.greet()
    for client in clients:
        told(server, [*connecting(client), *established(client)])
    return server


def test_a_known_caller_gets_its_subnets() -> None:
    server = Server({"red.far.0": replace(FAR, allowed=(SUBNET, IPv4Network("10.1.4.0/22")))})
    answer = told(server, connecting(3))
    assert answer == ["client-auth 3 1", "iroute 10.1.2.0 255.255.255.0", "iroute 10.1.4.0 255.255.252.0", "END"]
    assert server.find("red.far.0") is None, "not before it is established"
    told(server, [*established(3), ">BYTECOUNT_CLI:3,100,200"])
    seen = server.find("red.far.0")
    assert seen is not None
    assert (seen.endpoint, seen.since, seen.received, seen.sent) == ("192.0.2.9:4000", 1000, 100, 200)


def test_strangers_and_the_revoked_stay_out() -> None:
    server = Server(CALLERS, revoked={7})
    assert told(server, connecting(1, "red.other.0"))[0].startswith("client-deny 1 1 ")
    assert told(server, connecting(2, serial=7))[0].startswith("client-deny 2 1 ")
    assert told(server, connecting(3, serial=8))[0] == "client-auth 3 1"
    assert told(server, established(1)) == []
    assert server.clients == {}


def test_who_may_not_stay_goes_at_once_and_who_changes_calls_anew() -> None:
    server = a_server(1)
    assert server.update(CALLERS, frozenset()) == []
    assert server.renew() == []
    assert server.update({"red.far.0": replace(FAR, allowed=(SUBNET, SUBNET.supernet()))}, frozenset()) == []
    assert server.renew() == ["client-kill 1"]
    assert server.clients == {}, "it is gone, whenever OpenVPN says so"
    assert a_server(1).update(CALLERS, {7}) == ["client-kill 1"]
    assert a_server(1).update({}, frozenset()) == ["client-kill 1"]


def test_one_that_is_about_to_be_admitted_can_still_be_sent_away() -> None:
    server = Server(CALLERS)
    told(server, connecting(1))
    assert server.update({}, frozenset()) == ["client-kill 1"]


def test_a_caller_that_was_started_anew_replaces_itself() -> None:
    server = a_server(1, 2)
    assert list(server.clients) == ["2"]
    told(server, [">CLIENT:DISCONNECT,1", ">CLIENT:ENV,END"])
    assert server.find("red.far.0") is not None
    told(server, [">CLIENT:DISCONNECT,2", ">CLIENT:ENV,END"])
    assert server.find("red.far.0") is None


def test_a_caller_proves_itself_again_and_is_judged_again() -> None:
    server = a_server(1)
    assert told(server, connecting(1, kind="REAUTH"))[0] == "client-auth 1 1"
    assert server.find("red.far.0") is not None
    server.update(CALLERS, {7})
    assert told(server, connecting(1, kind="REAUTH"))[0].startswith("client-deny 1 1")


def test_a_client_calls_one_endpoint_after_the_other() -> None:
    client = Client([("192.0.2.1", 1), ("192.0.2.2", 2)])
    client.greet()
    calls = [client.hear(">REMOTE:0.0.0.0,1,udp", 0.0) for _ in range(3)]
    assert calls == [["remote MOD 192.0.2.1 1"], ["remote MOD 192.0.2.2 2"], ["remote MOD 192.0.2.1 1"]]
    assert client.call() == [], "one call at a time"
    client.hear(">STATE:5,CONNECTED,SUCCESS,,192.0.2.1,1,,", 9.0)
    assert client.seen is not None
    assert (client.seen.endpoint, client.seen.since) == ("192.0.2.1:1", 9)
    assert client.update([("192.0.2.3", 3)], frozenset()) == [], "a tunnel that works stays"
    assert client.call() == ["signal SIGUSR1"]
    assert client.seen is None
    assert client.hear(">REMOTE:0.0.0.0,1,udp", 0.0) == ["remote MOD 192.0.2.3 3"]


def meet(client: Client, serial: int) -> list[str]:
    lines = [">UPDOWN:UP", f">UPDOWN:ENV,tls_serial_0={serial}", ">UPDOWN:ENV,END"]
    answers = [answer for line in lines for answer in client.hear(line, 0.0)]
    client.hear(">STATE:5,CONNECTED,SUCCESS,,192.0.2.1,1,,", 9.0)
    return answers


def test_a_client_leaves_a_server_that_is_revoked() -> None:
    client = Client([("192.0.2.1", 1)])
    client.greet()
    assert meet(client, 7) == []
    assert client.update([("192.0.2.1", 1)], {8}) == []
    assert client.update([("192.0.2.1", 1)], {7}) == ["signal SIGUSR1"]
    assert meet(client, 7) == ["signal SIGUSR1"], "met again before the list was read"


WORDS = st.sampled_from(
    [
        ">CLIENT:",
        ">UPDOWN:",
        ">STATE:",
        ">BYTECOUNT:",
        ">BYTECOUNT_CLI:",
        ">REMOTE:",
        "CONNECT",
        "ENV",
        "END",
        "UP",
        ",",
    ]
)
GARBAGE = st.lists(st.one_of(WORDS, st.text(max_size=6)), max_size=8).map("".join)


@given(st.lists(GARBAGE, max_size=20))
def test_garbage_admits_nobody_and_stops_nothing(lines: list[str]) -> None:
    server, client = a_server(), Client([("192.0.2.1", 1)])
    for line in lines:
        assert not any(answer.startswith("client-auth") for answer in server.hear(line, 0.0))
        client.hear(line, 0.0)
        openvpn_problems.find(line)
    assert server.clients == {}
    assert told(server, connecting(5))[0] == "client-auth 5 1"


def test_problems_name_the_peer_where_it_is_known() -> None:
    line = "192.0.2.1:5 VERIFY ERROR: depth=0, error=certificate revoked: CN=red.far.0, serial=12"
    found = openvpn_problems.find(line)
    assert found is not None
    assert found.name == "red.far.0"
    assert "revoked" in found.sentence
    found = openvpn_problems.find("VERIFY ERROR: depth=1, error=self-signed certificate in certificate chain: CN=x.y")
    assert found is not None
    assert found.name == ""
    assert openvpn_problems.find("Initialization Sequence Completed") is None
