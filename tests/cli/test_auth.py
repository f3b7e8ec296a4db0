"""Whom a name means, and how what they may do is laid out."""

from typing import Any

import pytest

from kubeslice.cli import identities, permissions

Object = dict[str, Any]


def project(name: str, **spec: Any) -> Object:
    return {"metadata": {"name": name}, "spec": spec}


SHOP = project(
    "shop",
    serviceAccount={"readOnly": ["ann"], "readWrite": ["bob"]},
    users={"readOnly": ["zoe@example.com"]},
    groups={"readWrite": ["bob", "ops"]},
)
WEST = {"metadata": {"name": "west", "namespace": "kubeslice-shop"}}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "ann",
            [("system:serviceaccount:kubeslice-shop:kubeslice-rbac-ro-ann", "account ann, reader of project shop")],
        ),
        ("zoe@example.com", [("zoe@example.com", "user zoe@example.com, reader of project shop")]),
        ("ops", [("kubeslice:member", "group ops, writer of project shop")]),
        ("west", [("system:serviceaccount:kubeslice-shop:kubeslice-rbac-worker-west", "worker west of project shop")]),
        ("system:serviceaccount:other:x", [("system:serviceaccount:other:x", "account other/x")]),
        ("nobody", []),
        (
            "bob",
            [
                ("system:serviceaccount:kubeslice-shop:kubeslice-rbac-rw-bob", "account bob, writer of project shop"),
                ("kubeslice:member", "group bob, writer of project shop"),
            ],
        ),
    ],
)
def test_a_name_means_everybody_who_has_it(name: str, expected: list[tuple[str, str]]) -> None:
    assert [(one.user, one.sentence) for one in identities.candidates(name, [SHOP], [WEST])] == expected


def test_a_group_is_asked_about_by_a_member() -> None:
    (ops,) = identities.candidates("ops", [SHOP], [])
    assert ops.groups == ("ops",)
    assert identities.outsider(identities.GROUP, "dev", ["all"]).groups == ("dev", "all")


def review(*rules: Object) -> Object:
    return {"status": {"resourceRules": list(rules)}}


def rule(group: str, resource: str, verbs: str, *only: str) -> Object:
    return {"apiGroups": [group], "resources": [resource], "verbs": verbs.split(), "resourceNames": list(only)}


def test_rules_are_told_once_with_the_namespaces_where_they_hold() -> None:
    reading = (
        rule("controller.kubeslice.io", "clusters", "get list"),
        rule("controller.kubeslice.io", "clusters", "watch"),
    )
    everybodys = rule("authorization.k8s.io", "selfsubjectaccessreviews", "create")
    own = rule("", "secrets", "get", "west")
    found = {
        "b": permissions.permissions(review(*reading, everybodys)),
        "a": permissions.permissions(review(*reading, own)),
        "c": permissions.permissions(review(everybodys)),
    }
    assert found["c"] == []
    table = permissions.rows(permissions.by_permission(found))
    assert [(row[0], row[1], row[-1]) for row in table] == [("a", "secrets", "west"), ("a, b", "clusters", "-")]
    verbs = dict(zip(permissions.HEADINGS, table[1], strict=True))
    assert [verbs[name] for name in ("GET", "LIST", "WATCH", "CREATE")] == ["yes", "yes", "yes", "-"]


def test_a_wildcard_is_every_verb_and_told_as_one() -> None:
    (all_of_it,) = permissions.permissions(review(rule("apps", "deployments", "*")))
    (row,) = permissions.rows({all_of_it: ["a", "b", "c", "d"]})
    assert row == ["a, b, c and 1 more", "deployments.apps", *["yes"] * len(permissions.VERBS), "*", "-"]
