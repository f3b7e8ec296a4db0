"""What another cluster writes may be anything: it harms nobody's configuration and nobody else's tunnel."""

import base64
import shutil
import subprocess
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeslice.plan.datapath.segment import Segment, parse
from kubeslice.plan.routing import bird
from kubeslice.plan.tunnels import openvpn, peers, wireguard
from kubeslice.plan.tunnels.wireguard import SeenDevice

Object = dict[str, Any]


def key(letter: str) -> str:
    return base64.b64encode(letter.encode() * 32).decode()


def segment() -> Segment:
    spec = {
        "vni": 4097,
        "mtu": 1420,
        "sliceSubnet": "10.1.0.0/16",
        "clusterSubnet": "10.1.16.0/20",
        "gatewayReplicas": 2,
    }
    found = parse({"metadata": {"name": "red"}, "spec": spec}, "node-1")
    assert found is not None
    return found


def side(remote: str, subnet: str, entry: Object) -> Object:
    spec = {"remoteCluster": remote, "remoteSubnet": subnet, "planes": [{"plane": 0, "generation": 1, **entry}]}
    return {"metadata": {"name": f"red-here-{remote}"}, "spec": spec}


HONEST = side("west", "10.1.32.0/20", {"publicKey": key("w"), "endpoints": ["192.0.2.1:30000"]})
SECRET = {"privateKey-1": key("o"), "psk-west-1": key("p"), "psk-east-1": key("q")}

# Texts as hostile as the schema lets through: near an address, near a key, or anything.
texts = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"[0-9\u0660-\u0669.:\[\]a-f\n\t ]{0,24}", fullmatch=True),
    st.sampled_from(
        ["192.0.2.1:99999", "192.0.2.1:٣٠٠", "[::1]:1\nPrivateKey = x", "a:1", "-1.2.3.4:5", "0.0.0.0:0", key("w")]
    ),
)
subnets = st.one_of(
    texts,
    st.sampled_from(
        ["10.1.0.0/16", "10.1.16.0/20", "10.1.32.0/20", "10.1.33.0/20", "0.0.0.0/0", "::/0", "10.1.48.0/20"]
    ),
)
entries = st.fixed_dictionaries(
    {"publicKey": texts, "endpoints": st.lists(texts, max_size=4)}, optional={"generation": st.integers(1, 3)}
)
foreign = st.builds(
    lambda subnet, entry, transit, carried, relay: {
        **(made := side("east", subnet, entry)),
        "spec": {**made["spec"], "transitSubnets": transit, "carriedSubnets": carried, "relay": relay},
    },
    subnets,
    entries,
    st.lists(subnets, max_size=3),
    st.lists(subnets, max_size=3),
    texts,
)


def generation(gateways: list[Object]) -> peers.Generation:
    own = segment()
    (found,) = peers.generations(own, 0, {}, peers.sides(gateways, own), SECRET)
    return found


@settings(max_examples=50, deadline=None)
@given(foreign)
def test_the_honest_tunnel_of_wireguard_is_what_it_was(hostile: Object) -> None:
    wanted = generation([HONEST, hostile])
    known, problems = wireguard.sound(wanted, key("o"))
    orders = wireguard.orders(SeenDevice(), wanted, known, key("o"), {})
    stanzas = orders.text.split("\n\n")[0].split("[Peer]")
    assert "west" not in problems or hostile["spec"]["planes"][0]["publicKey"] == key("w")
    assert len(stanzas) == 1 + len(known)
    for stanza in stanzas[1:]:
        lines = stanza.strip().splitlines()
        assert [line.partition(" = ")[0] for line in lines][:4] == [
            "PublicKey",
            "PresharedKey",
            "AllowedIPs",
            "PersistentKeepalive",
        ]
        assert all(line.isascii() for line in lines)


@settings(max_examples=50, deadline=None)
@given(foreign)
def test_nobody_gets_what_is_not_another_clusters(hostile: Object) -> None:
    own = segment()
    for peer in generation([hostile]).peers:
        for subnet in peer.allowed:
            assert subnet.subnet_of(own.subnet)
            assert not subnet.overlaps(own.cluster.subnet)


@settings(max_examples=50, deadline=None)
@given(foreign)
def test_openvpn_is_told_addresses_only(hostile: Object) -> None:
    spec = hostile["spec"]
    wanted = generation([HONEST, {**hostile, "spec": {**spec, "hostType": "Client"}}])
    for role in openvpn.roles(wanted, "red", 0):
        for host, port in openvpn.callable_at(role.remote) if role.remote else []:
            assert host.isascii()
            assert not set(host) & set(" \n\t\"'")
            assert 0 < port < 65536


@settings(max_examples=50, deadline=None)
@given(foreign)
def test_the_honest_session_of_the_router_is_what_it_was(hostile: Object) -> None:
    wanted = bird.sessions(segment(), [HONEST, hostile], 0)
    if hostile["spec"]["remoteSubnet"] != "10.1.32.0/20":
        assert [one.subnet for one in wanted if one.cluster == "west"] == [IPv4Network("10.1.32.0/20")]
    assert len({one.name for one in wanted}) == len(wanted)
    for one in wanted:
        assert all(subnet.subnet_of(segment().subnet) for subnet in one.reached)
    bird.configuration(segment(), wanted, 0)


@pytest.mark.skipif(shutil.which("bird") is None, reason="BIRD is not installed")
@settings(max_examples=20, deadline=None)
@given(foreign)
def test_bird_reads_the_configuration(hostile: Object) -> None:
    text = bird.configuration(segment(), bird.sessions(segment(), [HONEST, hostile], 0), 0)
    path = Path("/dev/stdin")
    done = subprocess.run(["bird", "-p", "-c", str(path)], input=text, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
