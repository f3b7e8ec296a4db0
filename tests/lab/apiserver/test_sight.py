"""What expressions are shown of an object: never less than they look at."""

from typing import Any

import pytest

from kubeslice.lab.apiserver.schema.cel import sight
from kubeslice.lab.apiserver.schema.cel.program import compile_program
from kubeslice.manifests import hubbounds
from kubeslice.plan.tenants.policies import RULES

POD: dict[str, Any] = {
    "kind": "Pod",
    "metadata": {"name": "p", "labels": {"a": "1"}, "managedFields": [1]},
    "spec": {"containers": [{"name": "c"}], "hostNetwork": True},
}
TYPES = dict.fromkeys(("object", "oldObject", "request", "variables"), "dyn")


@pytest.mark.parametrize(
    ("source", "looked_at"),
    [
        ("true", {}),
        ("object.spec == oldObject.spec", {"spec": None}),
        ("object.spec.replicas < 3 && has(oldObject.metadata.name)", {"spec": {"replicas"}, "metadata": {"name"}}),
        ("object.metadata.?labels.orValue({}) == {}", {"metadata": {"labels"}}),
        ("object.?status.?conditions[?0].?type == optional.none()", {"status": {"conditions"}}),
        ("object.spec.containers.all(c, c.object.x == 1)", {"spec": {"containers"}}),
        ("object.spec.a.b.c == object . spec\n.d", {"spec": {"a", "d"}}),
        ("object.spec.all(f, f != 'x')", {"spec": None}),
        ("object.spec['a'] == 1 && object.spec.b == 2", {"spec": None}),
        ("object['spec'] == 1 && object.kind == 'x'", None),
        ("object != null && object.kind == 'x'", None),
        ("object.all(f, f != 'x')", None),
        ("oldObject == null || object.kind == 'x'", None),
        ("[object].all(o, o.kind == 'x')", None),
        ("request.object2.x == namespaceObject.y", {}),
        ("has(object.spec) ?object.kind == 'Pod' : false", {"spec": None, "kind": None}),
    ],
)
def test_what_is_looked_at(source: str, looked_at: dict[str, Any] | None) -> None:
    assert sight.of([source]) == looked_at


def test_what_is_shown_is_enough_and_no_more() -> None:
    found = sight.of(["object.metadata.labels == {}", "oldObject.kind == 'Pod' && has(object.status)"])
    assert sight.seen(POD, found) == {"kind": "Pod", "metadata": {"labels": {"a": "1"}}}
    assert sight.seen(POD, None) is POD
    assert sight.seen(None, found) is None


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if "variables" not in rule.expression], ids=lambda rule: rule.name
)
def test_rules_judge_what_they_are_shown_as_they_judge_the_whole(rule: Any) -> None:
    program, found = compile_program(rule.expression, TYPES), sight.of([rule.expression])
    request = {"userInfo": {"username": "ann"}}
    for obj in (POD, {**POD, "spec": {"type": "NodePort", "externalIPs": ["192.0.2.1"], "storageClassName": "x"}}):
        whole = program.evaluate({"object": obj, "oldObject": obj, "request": request, "variables": {}})
        shown = sight.seen(obj, found)
        assert program.evaluate({"object": shown, "oldObject": shown, "request": request, "variables": {}}) == whole


def test_of_a_heartbeat_little_is_converted() -> None:
    reports = next(bound for bound in hubbounds.bounds(86_400) if bound.sub == "status")
    found = sight.of(validation.holds for validation in reports.validations)
    assert found is not None
    assert found.keys() == {"status"}
    assert found["status"] is not None
    assert "heartbeatTime" not in found["status"]
