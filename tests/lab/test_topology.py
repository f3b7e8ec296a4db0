"""Names and addresses of a lab: as the contract has them, and never twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.lab.topology import Topology, from_dict, lab_topology


def sizes(topology: Topology) -> list[int]:
    return [cluster.size for cluster in topology.clusters]


def test_the_default_lab() -> None:
    topology = lab_topology(3)
    assert [cluster.name for cluster in topology.clusters] == ["hub", "worker-1", "worker-2", "worker-3"]
    assert sizes(topology) == [1, 2, 1, 1]
    node = topology.clusters[1].nodes[1]
    assert (node.name, node.address, node.gateway) == ("worker-1-node-2", "172.31.1.12", "172.31.1.1")
    assert (node.pod_network, node.link) == ("10.244.2.0/24", "n1-2")


def test_sizes_are_one_for_all_or_one_each() -> None:
    assert sizes(lab_topology(2, [3])) == [1, 3, 3]
    assert sizes(lab_topology(2, [3, 1])) == [1, 3, 1]
    assert sizes(lab_topology(0)) == [1]


@pytest.mark.parametrize(
    ("workers", "nodes", "complaint"),
    [(2, [1, 1, 1], "3 sizes for 2 worker clusters"), (-1, [], "a lab has 0 to"), (1, [0], "1 to 200 nodes")],
)
def test_nonsense_is_refused(workers: int, nodes: list[int], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        lab_topology(workers, nodes)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.text(max_size=5))
def test_nothing_is_there_twice_and_everything_fits(nodes: list[int], name: str) -> None:
    topology = lab_topology(len(nodes), nodes, name)
    members = list(topology.nodes)
    for key in ("name", "address", "link"):
        assert len({getattr(node, key) for node in members}) == len(members)
    assert all(len(node.link) <= 15 for node in members)
    assert from_dict(topology.to_dict()) == topology
