"""The rendered networks, as text; and host-local addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.lab import wiring
from kubeslice.lab.topology import lab_topology

TOPOLOGY = lab_topology(1)
WORKER = TOPOLOGY.clusters[1]


def test_the_wan_has_a_bridge_per_lan_and_a_port_per_node() -> None:
    lines = wiring.wan_links(TOPOLOGY)
    assert "addr add 172.31.1.1/24 dev lan1" in lines
    assert (
        "link add n1-2 mtu 1500 type veth peer name eth0 address 02:6c:ac:1f:01:0c mtu 1500 netns worker-1-node-2"
        in lines
    )
    assert lines.index("link add lan1 address 02:6c:ac:1f:01:01 type bridge") < lines.index(
        "link set n1-1 master lan1 up"
    )


def test_nodes_know_the_way_to_the_pods_of_their_neighbours_only() -> None:
    lines = wiring.node_links(WORKER.nodes[0], WORKER)
    assert "route add 10.244.2.0/24 via 172.31.1.12" in lines
    assert not any("route add 10.244.1.0/24" in line for line in lines)
    assert "route add default via 172.31.1.1" in lines


def test_a_bridge_keeps_its_hardware_address_when_ports_come_and_go() -> None:
    made = [
        line for line in wiring.wan_links(TOPOLOGY) + wiring.node_links(WORKER.nodes[0], WORKER) if "bridge" in line
    ]
    assert all(" address 02:6c:" in line for line in made if line.endswith("type bridge"))
    assert len(made) >= len(TOPOLOGY.clusters) + 1


def test_pods_leave_with_the_address_of_their_node() -> None:
    assert 'ip saddr 10.244.1.0/24 ip daddr != 10.244.0.0/16 oifname != "cni0"' in wiring.node_rules(WORKER.nodes[0])


def test_a_pod_reaches_everything_through_its_node() -> None:
    assert wiring.pod_links("10.244.1.7", "10.244.1.1")[1:] == [
        "addr add 10.244.1.7/32 dev eth0",
        "link set eth0 up",
        "route add 10.244.1.1 dev eth0 scope link",
        "route add default via 10.244.1.1 dev eth0",
    ]


@given(st.sets(st.integers(2, 254)), st.integers(2, 254))
def test_addresses_are_free_and_come_back_late(taken: set[int], last: int) -> None:
    used = [f"10.244.1.{number}" for number in taken]
    if len(taken) == 253:
        with pytest.raises(ValueError, match="all addresses"):
            wiring.free_address("10.244.1", used)
        return
    found = wiring.free_address("10.244.1", used, f"10.244.1.{last}")
    assert found not in used
    assert found != f"10.244.1.{last}" or len(taken) == 252
    assert 2 <= int(found.rsplit(".", 1)[1]) <= 254
    assert wiring.free_address("10.244.1", []) == "10.244.1.2"
