"""Whom a gateway talks to, read off what operators write."""

from ipaddress import IPv4Network
from typing import Any

import pytest

from kubeslice.plan.datapath import segment
from kubeslice.plan.datapath.segment import Segment
from kubeslice.plan.tunnels import peers
from kubeslice.plan.tunnels.peers import Generation

Object = dict[str, Any]
SUBNETS = {name: f"10.1.{16 * number}.0/20" for number, name in enumerate(("own", "east", "west", "north"))}


def own() -> Segment:
    spec = {"vni": 4097, "mtu": 1420, "sliceSubnet": "10.1.0.0/16", "clusterSubnet": SUBNETS["own"]}
    found = segment.parse({"metadata": {"name": "red"}, "spec": spec}, "")
    assert found is not None
    return found


def gateway(remote: str, *generations: int, **more: Any) -> Object:
    planes = [
        {"plane": plane, "generation": number, "publicKey": f"{remote}-{plane}-{number}", "endpoints": ["192.0.2.1:1"]}
        for plane in (0, 1)
        for number in generations
    ]
    spec = {"remoteCluster": remote, "remoteSubnet": SUBNETS[remote], "planes": planes, **more}
    return {"metadata": {"name": f"red-own-{remote}"}, "spec": spec}


def of(spec: Object, *gateways: Object, secret: dict[str, str] | None = None, plane: int = 1) -> list[Generation]:
    return peers.generations(own(), plane, spec, peers.sides(gateways, own()), secret or {})


def test_the_first_generation_is_in_force_where_nothing_is_said() -> None:
    (only,) = of({}, gateway("west", 1), gateway("east", 1), secret={"psk-east-1": "E", "psk-east-2": "X"})
    assert (only.number, str(only.address), only.mtu) == (1, "10.1.0.9", 1420)
    assert [(peer.remote, peer.public_key, peer.psk) for peer in only.peers] == [
        ("east", "east-1-1", "E"),
        ("west", "west-1-1", ""),
    ]
    assert only.peers[0].allowed == (IPv4Network(SUBNETS["east"]),)


def test_a_plane_has_its_own_generations_and_each_the_peers_that_have_it() -> None:
    keys = [{"plane": 0, "generations": [1]}, {"plane": 1, "generations": [3, 2]}]
    old, new = of({"gatewayKeys": keys}, gateway("east", 2, 3), gateway("west", 2))
    assert (old.number, [peer.remote for peer in old.peers]) == (2, ["east", "west"])
    assert (new.number, [peer.remote for peer in new.peers]) == (3, ["east"])


def test_what_is_behind_a_peer_is_allowed_and_while_another_relays_only_its_gateways_and_routers() -> None:
    relay = gateway("east", 1, transitSubnets=[SUBNETS["west"]])
    (only,) = of({}, relay, gateway("west", 1, relay="east"))
    assert only.peers[0].allowed == (IPv4Network(SUBNETS["east"]), IPv4Network(SUBNETS["west"]))
    assert only.peers[1].allowed == (IPv4Network("10.1.32.0/28"),)


@pytest.mark.parametrize("order", [("east", "west"), ("west", "east")])
def test_while_the_topology_changes_a_subnet_has_one_way_and_who_leads_there_too_keeps_its_own(order: Any) -> None:
    direct, detour = order
    (both,) = of({}, gateway(direct, 1), gateway(detour, 1, transitSubnets=[SUBNETS[direct]]))
    assert {peer.remote: peer.allowed for peer in both.peers} == {name: (IPv4Network(SUBNETS[name]),) for name in order}
    (after,) = of({}, gateway(detour, 1, transitSubnets=[SUBNETS[direct]]))
    assert after.peers[0].allowed == (IPv4Network(SUBNETS[detour]), IPv4Network(SUBNETS[direct]))
    carriers = [gateway(name, 1, transitSubnets=[SUBNETS["north"]]) for name in order]
    (moving,) = of({}, *carriers)
    assert [len(peer.allowed) for peer in moving.peers] == [2, 1]


@pytest.mark.parametrize(
    "change",
    [
        {"remoteSubnet": ""},
        {"remoteSubnet": "garbage"},
        {"remoteSubnet": "10.2.0.0/20"},
        {"remoteSubnet": "10.1.16.0/24"},
        {"remoteSubnet": SUBNETS["own"]},
        {"transitSubnets": ["0.0.0.0/0"]},
        {"carriedSubnets": [SUBNETS["own"]]},
    ],
)
def test_a_gateway_that_claims_what_is_not_another_clusters_is_not_obeyed(change: Object) -> None:
    (only,) = of({}, gateway("east", 1, **change), gateway("west", 1))
    assert [peer.remote for peer in only.peers] == ["west"]


def test_carried_pairs_go_from_who_asks_to_what_is_reached() -> None:
    sides = peers.sides(
        [gateway("east", 1, carriedSubnets=[SUBNETS["west"], SUBNETS["north"]]), gateway("west")], own()
    )
    east = IPv4Network(SUBNETS["east"])
    assert peers.pairs_carried(sides) == {(east, IPv4Network(SUBNETS[name])) for name in ("west", "north")}


def test_no_secret_shows_where_a_generation_is_printed() -> None:
    (only,) = of({}, gateway("east", 1), secret={"psk-east-1": "HIDDEN", "privateKey-1": "HIDDEN"})
    assert "HIDDEN" not in repr(only)
