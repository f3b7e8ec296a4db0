"""Addresses of load balancers: given once, kept, taken back; and which node answers for them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubeslice.lab.controllers.balancers import assign
from kubeslice.lab.proxy.speaker import held

POOL = [f"172.31.1.{number}" for number in range(212, 216)]


def service(uid: str, address: str = "", **spec: Any) -> dict[str, Any]:
    ingress = [{"ip": address}] if address else []
    return {
        "metadata": {"name": uid, "namespace": "default", "uid": uid},
        "spec": {"type": "LoadBalancer"} | spec,
        "status": {"loadBalancer": {"ingress": ingress}},
    }


def test_an_address_stays_and_is_taken_back_with_the_type() -> None:
    before = [service("a", POOL[2]), service("b")]
    assert assign(before, POOL, {}) == {"a": POOL[2], "b": POOL[0]}
    assert assign([service("a", POOL[2], type="ClusterIP")], POOL, {"a": POOL[2]}) == {}


def test_an_address_that_is_asked_for_is_given_when_it_is_free() -> None:
    assert assign([service("a", loadBalancerIP=POOL[3])], POOL, {}) == {"a": POOL[3]}
    assert assign([service("a", POOL[3]), service("b", loadBalancerIP=POOL[3])], POOL, {}) == {"a": POOL[3]}


def test_other_classes_are_left_alone() -> None:
    assert assign([service("a", loadBalancerClass="mine")], POOL, {}) == {}


@given(
    st.lists(st.sampled_from("abcdefg"), unique=True), st.dictionaries(st.sampled_from("abc"), st.sampled_from(POOL))
)
def test_no_address_is_given_twice(uids: list[str], known: dict[str, str]) -> None:
    distinct = {uid: address for uid, address in known.items() if list(known.values()).count(address) == 1}
    found = assign([service(uid) for uid in uids], POOL, distinct)
    assert len(set(found.values())) == len(found) == min(len(uids), len(POOL))
    assert all(found.get(uid) == address for uid, address in distinct.items() if uid in uids)


def node(name: str, ready: str = "True") -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}


def slices(*nodes: str) -> list[dict[str, Any]]:
    labels = {"kubernetes.io/service-name": "a"}
    endpoints = [{"addresses": ["10.244.1.2"], "nodeName": name, "conditions": {"ready": True}} for name in nodes]
    return [{"metadata": {"name": "s", "namespace": "default", "labels": labels}, "endpoints": endpoints}]


def holders(nodes: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[str]:
    names = [each["metadata"]["name"] for each in nodes]
    return [name for name in names if held([service("a", POOL[0])], found, nodes, name) == {POOL[0]}]


def test_exactly_one_ready_node_answers_and_one_with_a_backend_first() -> None:
    nodes = [node("x"), node("y"), node("z", "Unknown")]
    assert holders(nodes, slices("y")) == ["y"]
    assert len(holders(nodes, slices())) == 1
    assert len(holders(nodes, slices("z"))) == 1
    assert holders(nodes, slices("z")) != ["z"]
    assert holders([node("z", "Unknown")], slices("z")) == []
