"""BIRD's configuration: golden text, and BIRD's own opinion of it."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kubeslice.plan.address.ipam import ClusterPlan
from kubeslice.plan.datapath.segment import Segment, parse
from kubeslice.plan.routing import bird

Object = dict[str, Any]
GOLDEN = Path(__file__).parents[1] / "golden" / "bird.conf"


def segment(planes: int = 2) -> Segment:
    spec = {"vni": 4097, "mtu": 1420, "sliceSubnet": "10.1.0.0/16", "clusterSubnet": "10.1.16.0/20"}
    found = parse({"metadata": {"name": "red"}, "spec": {**spec, "gatewayReplicas": planes}}, "node-1")
    assert found is not None
    return found


def gateway(cluster: str, subnet: str, planes: int = 2) -> Object:
    entries = [{"plane": number} for number in range(planes)]
    return {
        "metadata": {"name": cluster},
        "spec": {"remoteCluster": cluster, "remoteSubnet": subnet, "planes": entries},
    }


REMOTES = [gateway("east", "10.1.48.0/20"), gateway("west", "10.1.0.0/20", planes=4)]


def text(remotes: list[Object] = REMOTES, router: int = 0) -> str:
    return bird.configuration(segment(), bird.sessions(segment(), remotes, router), router)


def test_the_configuration_is_the_golden_one() -> None:
    assert text() == GOLDEN.read_text()


def test_the_order_of_gateways_does_not_matter() -> None:
    assert text(list(reversed(REMOTES))) == text()


def test_planes_beyond_ours_have_no_session() -> None:
    assert [(s.cluster, s.plane) for s in bird.sessions(segment(1), REMOTES, 0)] == [("west", 0), ("east", 0)]


def test_a_gateway_without_a_subnet_has_no_session() -> None:
    assert bird.sessions(segment(), [{"metadata": {"name": "new"}, "spec": {}}], 0) == []


def test_each_router_speaks_with_its_like_and_with_its_partner() -> None:
    for number, partner in ((0, 1), (1, 0)):
        known = bird.sessions(segment(), REMOTES, number)
        plans = [ClusterPlan(session.subnet) for session in known]
        wanted = [plan.router_plane(number, session.plane) for plan, session in zip(plans, known, strict=True)]
        assert [session.neighbour for session in known] == wanted
        own = segment().cluster
        assert f"local {own.router(number)} as 64513;\n  neighbor {own.router(partner)} as 64513;" in text(
            REMOTES, number
        )


def test_a_plane_with_two_generations_of_keys_has_one_session() -> None:
    rotating = gateway("east", "10.1.48.0/20", planes=1)
    rotating["spec"]["planes"] = [{"plane": 0, "generation": 1}, {"plane": 0, "generation": 2}]
    assert len(bird.sessions(segment(), [rotating], 0)) == 1


def test_what_is_in_transit_is_believed_and_what_is_carried_is_announced() -> None:
    east = gateway("east", "10.1.48.0/20", planes=1)
    east["spec"] |= {"transitSubnets": ["10.1.64.0/20"], "carriedSubnets": ["10.1.0.0/20"]}
    written = text([east])
    assert "import where net ~ [10.1.48.0/20, 10.1.64.0/20];" in written
    assert 'export where proto = "segment" || source = RTS_BGP && net ~ [10.1.0.0/20];' in written
    assert "route 10.1.64.0/20 via 10.1.16.8;" in written
    assert "route 10.1.0.0/20" not in written


def test_a_pair_with_a_relay_keeps_its_sessions_and_says_nothing_in_them() -> None:
    east, west = gateway("east", "10.1.48.0/20", planes=1), gateway("west", "10.1.0.0/20", planes=1)
    east["spec"]["relay"], west["spec"]["transitSubnets"] = "west", ["10.1.48.0/20"]
    direct, _, relayed = text([east, west]).partition("protocol bgp peer_3_0")
    assert "import none;\n    export none;" in relayed
    assert "import where net ~ [10.1.0.0/20, 10.1.48.0/20];" in direct
    assert "route 10.1.48.4/32 via 10.1.16.8;" in direct


TRANSIT = gateway("west", "10.1.0.0/20")
TRANSIT["spec"] |= {"transitSubnets": ["10.1.48.0/20"], "carriedSubnets": ["10.1.48.0/20"]}
RELAYED = gateway("east", "10.1.48.0/20")
RELAYED["spec"]["relay"] = "west"


@pytest.mark.kernel
@pytest.mark.skipif(shutil.which("bird") is None, reason="needs bird2")
@pytest.mark.parametrize("remotes", [[], REMOTES, [TRANSIT, RELAYED]], ids=["alone", "two remotes", "relayed"])
def test_bird_accepts_it(tmp_path: Path, remotes: list[Object]) -> None:
    file = tmp_path / "bird.conf"
    file.write_text(text(remotes))
    subprocess.run(["bird", "-p", "-c", str(file)], check=True, timeout=10)
