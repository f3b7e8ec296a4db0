"""Faults of the WAN: what they render to, and that packets vanish, come back, and slow down."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from kubeslice.lab import commands, faults, wan
from kubeslice.lab.faults import Cut, Narrow
from kubeslice.lab.topology import Topology, lab_topology
from tests.lab.cluster import FIRST, SECOND

PLAN = lab_topology(2)
NOTHING = faults.Faults()


def changed(**request: object) -> faults.Faults:
    return faults.change(NOTHING, request, PLAN)


def test_a_cut_is_both_ways_unless_told() -> None:
    assert changed(action="cut", a="worker-1", b="hub").cuts == {Cut("worker-1", "hub"), Cut("hub", "worker-1")}
    assert changed(action="cut", a="worker-1", b="hub", oneWay=True).cuts == {Cut("worker-1", "hub")}
    assert changed(action="cut", a="worker-1").cuts == {Cut("worker-1", "*"), Cut("*", "worker-1")}


def test_healing_undoes() -> None:
    broken = faults.change(
        changed(action="cut", a="worker-1", b="hub"), {"action": "limit", "a": "hub", "mbit": 5}, PLAN
    )
    assert faults.change(broken, {"action": "heal", "a": "hub", "b": "worker-1"}, PLAN).cuts == frozenset()
    assert faults.change(broken, {"action": "heal"}, PLAN) == NOTHING
    assert faults.change(broken, {"action": "limit", "a": "hub", "mbit": 0}, PLAN).limits == {}


@pytest.mark.parametrize(
    "request_",
    [
        {"action": "cut", "a": "mars"},
        {"action": "cut", "a": "hub", "b": "hub"},
        {"action": "cut", "a": "hub", "ports": [70000]},
        {"action": "nat", "a": FIRST},
        {"action": "narrow", "a": "hub", "mtu": 100},
        {"action": "bend", "a": "hub"},
    ],
)
def test_nonsense_is_refused(request_: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"neither a cluster|two different ends|ports are|whole cluster|MTU|no action"):
        changed(**request_)


def test_a_cut_of_ports_leaves_the_others() -> None:
    text = wan.rules(changed(action="cut", a="worker-1", b="hub", oneWay=True, ports=[30002, 30001]), PLAN)
    path = "ip saddr 172.31.1.0/24 ip daddr 172.31.0.0/24 meta l4proto { tcp, udp }"
    assert f"{path} th sport {{ 30001, 30002 }} counter drop" in text
    assert f"{path} th dport {{ 30001, 30002 }} counter drop" in text


def test_nat_opens_outwards_only_and_costs_nothing_when_it_is_off() -> None:
    text = wan.rules(changed(action="nat", a="worker-1"), PLAN)
    assert "ip saddr 172.31.1.0/24 ip daddr != 172.31.1.0/24 counter snat to 100.64.1.1 fully-random" in text
    assert "ip daddr 172.31.1.0/24 ct state new,invalid counter drop" in text
    assert "ct state" not in wan.rules(NOTHING, PLAN)


def test_a_narrow_path_is_one_between_two_ends() -> None:
    narrow = changed(action="narrow", a="worker-1", b="hub", mtu=1280, icmp=False)
    assert narrow.narrow == {Narrow("worker-1", "hub", 1280, tells=False)}
    lines = wan.narrow_paths(narrow, PLAN)
    assert "rule add from 172.31.0.0/24 to 172.31.1.0/24 lookup 101280 pref 1000" in lines
    assert "route replace 172.31.1.0/24 dev lan1 mtu lock 1280 table 101280" in lines
    assert "ip daddr 172.31.1.0/24 icmp type destination-unreachable icmp code frag-needed" in wan.rules(narrow, PLAN)
    wider = faults.change(narrow, {"action": "narrow", "a": "hub", "b": "worker-1", "mtu": 1400}, PLAN)
    assert wider.narrow == {Narrow("hub", "worker-1", 1400)}
    assert faults.change(wider, {"action": "heal", "a": "worker-1", "b": "hub"}, PLAN) == NOTHING


def test_rules_match_routed_packets_by_address_and_bridged_ones_by_port() -> None:
    text = wan.rules(changed(action="cut", a="worker-1-node-2", b="hub", oneWay=True), PLAN)
    assert "ip saddr 172.31.1.12 ip daddr 172.31.0.0/24 counter drop" in text
    assert "iifname" not in text
    text = wan.rules(changed(action="cut", a="worker-1-node-2"), PLAN)
    assert 'iifname "n1-2" counter drop' in text
    assert "ip daddr 172.31.1.12 counter drop" in text


def test_the_limit_of_a_node_wins() -> None:
    limited = faults.change(
        changed(action="limit", a="worker-1", mbit=10), {"action": "limit", "a": FIRST, "mbit": 2}, PLAN
    )
    assert wan.shapes(limited, PLAN) == {"n1-1": 2.0, "n1-2": 10.0}


def run(lab: Topology, target: str, *command: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from kubeslice.lab import commands; "
    code += "sys.exit(commands.execute(sys.argv[2], sys.argv[3:], sys.argv[1]))"
    arguments = [sys.executable, "-c", code, lab.name, target, *command]
    return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=30)


def reaches(lab: Topology, node: str, address: str) -> bool:
    return run(lab, node, "ping", "-c1", "-W1", address).returncode == 0


@pytest.fixture
def faulty(lab: Topology) -> Iterator[Topology]:
    yield lab
    commands.heal(name=lab.name)


HUB, NEIGHBOUR = "172.31.0.11", "172.31.1.12"


@pytest.mark.lab
def test_packets_vanish_and_come_back(faulty: Topology) -> None:
    assert reaches(faulty, FIRST, HUB)
    commands.cut("worker-1", "hub", faulty.name)
    assert not reaches(faulty, FIRST, HUB)
    assert reaches(faulty, FIRST, NEIGHBOUR)
    commands.heal("worker-1", "hub", faulty.name)
    assert reaches(faulty, FIRST, HUB)


@pytest.mark.lab
def test_one_node_can_be_cut_off(faulty: Topology) -> None:
    commands.cut(SECOND, name=faulty.name)
    assert not reaches(faulty, FIRST, NEIGHBOUR)
    assert not reaches(faulty, SECOND, HUB)
    assert reaches(faulty, FIRST, HUB)


@pytest.mark.lab
def test_links_have_the_width_they_are_given(faulty: Topology) -> None:
    commands.limit("worker-1", 7, faulty.name)
    assert "rate 7Mbit" in run(faulty, "wan", "tc", "qdisc", "show", "dev", "n1-1").stdout
    assert "rate 7Mbit" in run(faulty, FIRST, "tc", "qdisc", "show", "dev", "eth0").stdout
    commands.limit("worker-1", 0, faulty.name)
    assert "tbf" not in run(faulty, FIRST, "tc", "qdisc", "show", "dev", "eth0").stdout


@pytest.mark.lab
def test_behind_nat_a_cluster_dials_and_is_not_dialled(faulty: Topology) -> None:
    commands.nat("worker-1", faulty.name)
    assert reaches(faulty, FIRST, HUB)
    assert not reaches(faulty, "hub-node-1", NEIGHBOUR)
    commands.forget("worker-1", faulty.name)
    commands.nat("worker-1", faulty.name, on=False)
    assert reaches(faulty, "hub-node-1", NEIGHBOUR)


def passes(lab: Topology, size: int) -> str:
    return run(lab, FIRST, "ping", "-M", "do", "-s", str(size - 28), "-c1", "-W1", HUB).stdout


@pytest.mark.lab
def test_narrow_paths_tell_or_keep_silent(faulty: Topology) -> None:
    commands.narrow("worker-1", "hub", 1280, faulty.name)
    assert "mtu = 1280" in passes(faulty, 1300)
    assert "1 received" in passes(faulty, 1280)
    commands.narrow("worker-1", "hub", 1200, faulty.name, icmp=False)
    assert "1 received" in passes(faulty, 1200)
    # The kernel remembers 1280 for a while; what it lets go vanishes.
    silent = passes(faulty, 1270)
    assert "0 received" in silent
    assert "mtu" not in silent
