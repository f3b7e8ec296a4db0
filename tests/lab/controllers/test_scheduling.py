"""Which node a pod gets: examples for each predicate, laws for the choice."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.lab.controllers import capacity, scheduling
from kubeslice.lab.controllers.affinity import Machine
from kubeslice.lab.controllers.scheduling import place
from tests.lab.controllers.made import node, pod

HOSTNAME = "kubernetes.io/hostname"


def chosen(wanted: Any, *machines: Any) -> Any:
    return place(wanted, machines).node


def avoiding(kind: Any, weight: Any = None) -> Any:
    term = {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": {"app": "web"}}}
    entry = {"weight": weight, "podAffinityTerm": term} if weight else term
    strength = "preferred" if weight else "required"
    return {kind: {f"{strength}DuringSchedulingIgnoredDuringExecution": [entry]}}


def on_node(name: str) -> Any:
    field = {"key": "metadata.name", "operator": "In", "values": [name]}
    terms = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


GATEWAY = {"key": "dedicated", "value": "gateway", "effect": "NoSchedule"}
TAINTED = node("a", taints=[GATEWAY])
EDGE = node("b", labels={"kind": "edge"})
OTHER = {"app": "db"}
BUSY = pod("other", hostNetwork=True)
BUSY["spec"]["containers"][0]["ports"] = [{"containerPort": 9479, "hostPort": 9479}]


@pytest.mark.parametrize(
    ("wanted", "machines", "expected"),
    [
        (pod("p"), [Machine(node("a"), [pod("x")]), Machine(node("b"))], "b"),
        (pod("p"), [Machine(node("a", ready=False)), Machine(node("b"))], "b"),
        (pod("p"), [Machine(node("a", unschedulable=True))], ""),
        (pod("p"), [Machine(TAINTED)], ""),
        (pod("p", tolerations=[{"key": "dedicated", "operator": "Exists"}]), [Machine(TAINTED)], "a"),
        (pod("p", tolerations=[{**GATEWAY, "operator": "Equal"}]), [Machine(TAINTED)], "a"),
        (pod("p", tolerations=[{**GATEWAY, "value": "other"}]), [Machine(TAINTED)], ""),
        (pod("p", tolerations=[{"operator": "Exists"}]), [Machine(TAINTED)], "a"),
        (pod("p", nodeSelector={"kind": "edge"}), [Machine(node("a")), Machine(EDGE)], "b"),
        (pod("p", affinity=on_node("b")), [Machine(node("a")), Machine(node("b"), [pod("x"), pod("y")])], "b"),
        (pod("p", affinity=avoiding("podAntiAffinity")), [Machine(node("a"), [pod("x")])], ""),
        (pod("p"), [Machine(node("a"), [pod("x", affinity=avoiding("podAntiAffinity"))])], ""),
        (
            pod("p", affinity=avoiding("podAntiAffinity", 100)),
            [Machine(node("a"), [pod("x")]), Machine(node("b"), [pod("y", labels=OTHER), pod("z", labels=OTHER)])],
            "b",
        ),
        (pod("p", affinity=avoiding("podAffinity")), [Machine(node("a")), Machine(node("b"), [pod("x")])], "b"),
        (BUSY, [Machine(node("a"), [BUSY]), Machine(node("b"), [pod("x"), pod("y")])], "b"),
        (pod("p"), [Machine(node("a", allocatable={"pods": "1"}), [pod("x")])], ""),
    ],
)  # fmt: skip
def test_where_a_pod_goes(wanted: Any, machines: Any, expected: Any) -> None:
    assert chosen(wanted, *machines) == expected


def test_a_refusal_counts_the_nodes_by_reason() -> None:
    machines = [Machine(node("b", unschedulable=True)), Machine(node("c", unschedulable=True)), Machine(TAINTED)]
    sentence = place(pod("p"), machines).sentence
    assert sentence.startswith("0/3 nodes are available: ")
    assert "2 node(s) were unschedulable" in sentence
    assert place(pod("p"), []).sentence == "0/0 nodes are available: no nodes available to schedule pods."


def test_requests_must_fit_beside_the_pods_that_are_there() -> None:
    big = pod("p")
    big["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "600m", "memory": "64Mi"}}
    machine = node("a", allocatable={"cpu": "1", "memory": "1Gi"})
    assert chosen(big, Machine(machine)) == "a"
    assert place(big, [Machine(machine, [big])]).sentence == "0/1 nodes are available: 1 Insufficient cpu."


@given(st.integers(1, 4), st.integers(1, 20))
def test_equal_pods_spread_evenly(nodes: Any, count: Any) -> None:
    homes: dict[str, list[Any]] = {f"n{number}": [] for number in range(nodes)}
    for number in range(count):
        wanted = pod(f"p{number}")
        machines = [Machine(node(name), present) for name, present in homes.items()]
        homes[chosen(wanted, *machines)].append(wanted)
    sizes = [len(present) for present in homes.values()]
    assert max(sizes) - min(sizes) <= 1


@given(st.permutations(["a", "b", "c"]), st.integers(0, 2))
def test_the_order_of_nodes_does_not_matter(names: Any, crowd: Any) -> None:
    machines = [
        Machine(node(name), [pod(f"{name}{one}") for one in range(crowd if name == "b" else 1)]) for name in names
    ]
    assert chosen(pod("p"), *machines) == chosen(
        pod("p"), *sorted(machines, key=lambda one: one.node["metadata"]["name"])
    )


@pytest.mark.parametrize(
    ("text", "value"), [("100m", 0.1), ("2", 2), ("64Mi", 67108864), ("1.5Gi", 1610612736), ("1k", 1000), (3, 3)]
)
def test_quantities(text: Any, value: Any) -> None:
    assert float(capacity.quantity(text)) == value


def test_only_pods_without_a_node_wait() -> None:
    assert scheduling.is_waiting(pod("p", phase="Pending"))
    assert not scheduling.is_waiting(pod("p", on="a"))
    assert not scheduling.is_waiting(pod("p", phase="Failed"))
    assert not scheduling.is_waiting(pod("p", deleting=True))
    assert not scheduling.is_waiting(pod("p", schedulerName="other"))
