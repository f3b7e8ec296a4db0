"""Isolation: what a policy says, when one must be written anew, and which policies of others open a namespace."""

from copy import deepcopy
from typing import Any

import pytest

from kubeslice.model.slice import Isolation
from kubeslice.plan.cluster import isolation

OPEN_TO_OPS = Isolation(allowed_namespaces=["ops"])
NAME = "kubernetes.io/metadata.name"


def labelled(**labels: str) -> Any:
    return {"namespaceSelector": {"matchLabels": {key.replace("__", "/"): value for key, value in labels.items()}}}


def named(*values: str, operator: str = "In") -> Any:
    entry = {"key": NAME, "operator": operator, "values": list(values)}
    return {"namespaceSelector": {"matchExpressions": [entry]}}


def policy(*rules: Any, namespace: str = "shop", types: Any = ("Ingress",)) -> Any:
    spec = {"podSelector": {}, "policyTypes": list(types), "ingress": list(rules)}
    return {"metadata": {"name": "web", "namespace": namespace}, "spec": spec}


def opened(*rules: Any, **more: Any) -> Any:
    return [
        tuple(found) for found in isolation.openings("red", OPEN_TO_OPS, {"shop", "bank"}, [policy(*rules, **more)])
    ]


def test_every_namespace_gets_one_policy_for_all_its_pods_and_both_directions() -> None:
    made = isolation.policies("red", OPEN_TO_OPS, ["shop", "bank"])
    assert [found["metadata"]["namespace"] for found in made] == ["bank", "shop"]
    assert {found["metadata"]["name"] for found in made} == {"kubeslice-red"}
    spec = made[0]["spec"]
    peers = [
        {"namespaceSelector": {"matchLabels": {"kubeslice.io/slice": "red"}}},
        named("istio-system", "kube-system", "kubeslice-system", "ops"),
    ]
    assert spec["podSelector"] == {}
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert (spec["ingress"], spec["egress"]) == ([{"from": peers}], [{"to": peers}])
    assert isolation.policies("red", None, ["shop"]) == []


@pytest.mark.parametrize("part", ["podSelector", "ingress", "egress", "missing"])
def test_a_policy_that_says_more_less_or_nothing_is_written_anew(part: str) -> None:
    wanted = isolation.policies("red", OPEN_TO_OPS, ["shop", "bank"])
    seen = deepcopy(wanted)
    assert isolation.altered(wanted, seen) == []
    match part:
        case "podSelector":
            seen[1]["spec"]["podSelector"] = {"matchLabels": {"app": "web"}}
        case "missing":
            del seen[1]
        case rules:
            seen[1]["spec"][rules][0]["ports"] = [{"port": 80}]
    assert isolation.altered(wanted, seen) == [wanted[1]]


@pytest.mark.parametrize(
    "rule",
    [
        {"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]},
        {"from": [labelled(kubeslice__dummy="x") | labelled(**{"kubeslice.io__slice": "red"})]},
        {"from": [named("ops"), named("bank", "kube-system")]},
        {"from": [named("ops")], "ports": [{"port": 80}]},
    ],
)
def test_what_is_let_in_anyway_opens_nothing(rule: Any) -> None:
    assert opened(rule) == []


@pytest.mark.parametrize(
    ("rule", "blocks"),
    [
        ({}, False),
        ({"from": []}, False),
        ({"from": [{"namespaceSelector": {}}]}, False),
        ({"from": [labelled(team="a")]}, False),
        ({"from": [labelled(**{"kubeslice.io__slice": "blue"})]}, False),
        ({"from": [named("ops", "elsewhere")]}, False),
        ({"from": [named("ops", operator="NotIn")]}, False),
        ({"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}, True),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}, labelled(team="a")]}, False),
    ],
)
def test_what_lets_in_more_is_found(rule: Any, blocks: bool) -> None:
    assert opened(rule) == [("shop", "web", blocks)]
    assert opened(rule, namespace="elsewhere") == []
    assert opened(rule, types=["Egress"]) == []


def test_the_condition_waits_then_warns_then_is_content() -> None:
    missing = isolation.policies("red", OPEN_TO_OPS, ["shop"])
    block = isolation.Opening("shop", "web", blocks=True)
    other = isolation.Opening("shop", "all", blocks=False)
    found = [
        isolation.finding(1, missing, [block]),
        isolation.finding(1, [], [block]),
        isolation.finding(1, [], [block, other]),
        isolation.finding(1, [], []),
    ]
    assert [(entry.status, entry.reason) for entry in found] == [
        ("False", "WaitingForPolicies"),
        ("False", "NetPolScopeWidenedIPBlock"),
        ("False", "NetPolScopeWidenedNamespace"),
        ("True", "PoliciesInstalled"),
    ]
    assert "shop/web, shop/all" in found[2].message


@pytest.mark.parametrize(
    ("name", "labels", "slice_name"),
    [
        ("kubeslice-red", {"app.kubernetes.io/managed-by": "kubeslice-worker", "kubeslice.io/slice": "red"}, "red"),
        ("kubeslice-red", {"app.kubernetes.io/managed-by": "kubeslice-worker"}, "red"),
        ("kubeslice-red", {"kubeslice.io/slice": "red"}, ""),
        ("web", {"app.kubernetes.io/managed-by": "kubeslice-worker"}, ""),
        ("web", {"app.kubernetes.io/managed-by": "kubeslice-worker", "kubeslice.io/slice": "red"}, ""),
        ("kubeslice-copy", {"app.kubernetes.io/managed-by": "kubeslice-worker", "kubeslice.io/slice": "red"}, ""),
    ],
)
def test_a_policy_of_ours_bears_our_label_and_the_name_of_its_slice(name: str, labels: Any, slice_name: str) -> None:
    assert isolation.made_for({"metadata": {"name": name, "namespace": "shop", "labels": labels}}) == slice_name
