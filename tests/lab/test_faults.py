"""Faults of the WAN: what they render to, and that packets vanish, come back, and slow down."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from kubeslice.lab import commands, wan
from kubeslice.lab.topology import Topology, lab_topology
from tests.lab.cluster import FIRST, SECOND

PLAN = lab_topology(2)
NOTHING = wan.Faults()


def changed(**request: object) -> wan.Faults:
    return wan.change(NOTHING, request, PLAN)


def test_a_cut_is_both_ways_unless_told() -> None:
    assert changed(action="cut", a="worker-1", b="hub").cuts == {("worker-1", "hub"), ("hub", "worker-1")}
    assert changed(action="cut", a="worker-1", b="hub", oneWay=True).cuts == {("worker-1", "hub")}
    assert changed(action="cut", a="worker-1").cuts == {("worker-1", "*"), ("*", "worker-1")}


def test_healing_undoes() -> None:
    broken = wan.change(changed(action="cut", a="worker-1", b="hub"), {"action": "limit", "a": "hub", "mbit": 5}, PLAN)
    assert wan.change(broken, {"action": "heal", "a": "hub", "b": "worker-1"}, PLAN).cuts == frozenset()
    assert wan.change(broken, {"action": "heal"}, PLAN) == NOTHING
    assert wan.change(broken, {"action": "limit", "a": "hub", "mbit": 0}, PLAN).limits == {}


@pytest.mark.parametrize("request_", [{"a": "mars"}, {"a": "hub", "b": "hub"}])
def test_nonsense_is_refused(request_: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"neither a cluster|two different ends"):
        changed(action="cut", **request_)


def test_rules_match_routed_packets_by_address_and_bridged_ones_by_port() -> None:
    text = wan.rules(changed(action="cut", a="worker-1-node-2", b="hub", oneWay=True), PLAN)
    assert "ip saddr 172.31.1.12 ip daddr 172.31.0.0/24 counter drop" in text
    assert "iifname" not in text
    text = wan.rules(changed(action="cut", a="worker-1-node-2"), PLAN)
    assert 'iifname "n1-2" counter drop' in text
    assert "ip daddr 172.31.1.12 counter drop" in text


def test_the_limit_of_a_node_wins() -> None:
    faults = wan.change(
        changed(action="limit", a="worker-1", mbit=10), {"action": "limit", "a": FIRST, "mbit": 2}, PLAN
    )
    assert wan.shapes(faults, PLAN) == {"n1-1": 2.0, "n1-2": 10.0}


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
