"""Policies: what each rule lets through and refuses, by the engine of the embedded API server, in both forms."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import pytest

from kubeslice.lab.apiserver.schema.cel.program import Program, compile_program
from kubeslice.model.project import PolicyBundle
from kubeslice.plan.tenants import policies, policy_forms
from kubeslice.plan.tenants.policies import RULES, Rule
from kubeslice.plan.tenants.policy_forms import Tenant

Obj = dict[str, Any]

TYPES = dict.fromkeys(("object", "oldObject", "request", "variables"), "dyn")
BUNDLES = ("network", "storage", "resources", "security")
TENANT = Tenant("shop", ["red", "blue"], BUNDLES, ["fast", "slow"])
WORKER = "system:serviceaccount:kubeslice-system:kubeslice-worker"


def pod(container: Obj | None = None, **spec: Any) -> Obj:
    return {"spec": {"containers": [{"name": "c", **(container or {})}], **spec}}


def policy(labels: Obj | None) -> Obj:
    return {"metadata": {"name": "p"} | ({"labels": labels} if labels is not None else {})}


OURS = policy({"app.kubernetes.io/managed-by": "kubeslice-worker"})
FULL = {"resources": {"requests": {"cpu": "1", "memory": "1Mi"}, "limits": {"memory": "1Mi"}}}
GOOD: dict[str, list[Obj]] = {
    "host-network": [pod(), pod(hostNetwork=False)],
    "host-ports": [pod(), pod({"ports": [{"containerPort": 80}]}), pod({"ports": [{"hostPort": 0}]})],
    "exposed-services": [{"spec": {}}, {"spec": {"type": "ClusterIP"}}],
    "external-addresses": [{"spec": {}}, {"spec": {"externalIPs": []}}],
    "storage-classes": [{"spec": {"storageClassName": "fast"}}],
    "requests": [pod(FULL), pod(FULL, initContainers=[FULL])],
    "memory-limits": [pod(FULL)],
    "privileged": [pod(), pod({"securityContext": {}}), pod({"securityContext": {"privileged": False}})],
    "added-capabilities": [
        pod(),
        pod({"securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}}),
    ],
    "host-namespaces": [pod(), pod(hostPID=False, hostIPC=False)],
    "host-paths": [pod(), pod(volumes=[{"name": "v", "emptyDir": {}}])],
}
BAD: dict[str, list[Obj]] = {
    "host-network": [pod(hostNetwork=True)],
    "host-ports": [pod({"ports": [{"hostPort": 80}]}), pod(initContainers=[{"ports": [{"hostPort": 1}]}])],
    "exposed-services": [{"spec": {"type": "NodePort"}}, {"spec": {"type": "LoadBalancer"}}],
    "external-addresses": [{"spec": {"externalIPs": ["192.0.2.1"]}}],
    "storage-classes": [{"spec": {}}, {"spec": {"storageClassName": "golden"}}],
    "requests": [pod(), pod({"resources": {"requests": {"cpu": "1"}}}), pod(FULL, initContainers=[{}])],
    "memory-limits": [pod(), pod({"resources": {"limits": {"cpu": "1"}}})],
    "privileged": [
        pod({"securityContext": {"privileged": True}}),
        pod(ephemeralContainers=[{"securityContext": {"privileged": True}}]),
        pod(initContainers=[{"securityContext": {"privileged": True}}]),
    ],
    "added-capabilities": [pod({"securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE", "SYS_ADMIN"]}}})],
    "host-namespaces": [pod(hostPID=True), pod(hostIPC=True)],
    "host-paths": [pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}])],
}


@cache
def program(expression: str, returns: str) -> Program:
    return compile_program(expression, TYPES, returns=returns)


def asked(expression: str, listed: Sequence[Obj], **request: Any) -> bool:
    """Evaluate as an API server does: the named expressions one after the other, then the rule."""
    given: Obj = {"object": None, "oldObject": None, "request": {}, **request, "variables": {}}
    given["variables"] |= request.get("params") or {}
    given.pop("params", None)
    for one in listed:
        given["variables"][one["name"]] = program(f"dyn({one['expression']})", "dyn").evaluate(given)
    return bool(program(expression, "bool").evaluate(given))


def vap(rule: Rule) -> tuple[str, list[Obj]]:
    made = [obj for obj in policy_forms.admission_policies(TENANT) if obj["kind"] == "ValidatingAdmissionPolicy"]
    for obj in made:
        for validation in obj["spec"]["validations"]:
            if validation["message"] == rule.message:
                return validation["expression"], obj["spec"].get("variables", [])
    raise AssertionError(rule.name)


def template(rule: Rule) -> tuple[str, list[Obj], Obj]:
    made = policy_forms.gatekeeper(TENANT)
    for definition, constraint in zip(made[::2], made[1::2], strict=True):
        source = definition["spec"]["targets"][0]["code"][0]["source"]
        if source["validations"][0]["message"] == rule.message:
            params = {"params": constraint["spec"]["parameters"]} if "parameters" in constraint["spec"] else {}
            return source["validations"][0]["expression"], source.get("variables", []), params
    raise AssertionError(rule.name)


def cases() -> Iterator[Any]:
    for rule in RULES:
        for expected, table in ((True, GOOD), (False, BAD)):
            for number, obj in enumerate(table.get(rule.name, [])):
                yield pytest.param(rule, obj, expected, id=f"{rule.name}-{expected}-{number}")


@pytest.mark.parametrize(("rule", "obj", "expected"), list(cases()))
def test_what_rules_let_through(rule: Rule, obj: Obj, expected: bool) -> None:
    assert asked(*vap(rule), object=obj) is expected
    expression, listed, params = template(rule)
    assert asked(expression, listed, object=obj, params=params) is expected


@pytest.mark.parametrize(
    ("who", "old", "expected"),
    [
        ("ann", policy(None), True),
        ("ann", policy({"app": "x"}), True),
        ("ann", OURS, False),
        (WORKER, OURS, True),
        ("system:serviceaccount:kube-system:namespace-controller", OURS, True),
    ],
)
def test_policies_of_a_slice_are_kept_from_everybody_but_their_owner(who: str, old: Obj, expected: bool) -> None:
    rule = next(rule for rule in RULES if rule.name == "kept-network-policies")
    request = {"userInfo": {"username": who}}
    assert asked(*vap(rule), oldObject=old, request=request) is expected
    expression, listed, params = template(rule)
    assert asked(expression, listed, oldObject=old, request=request, params=params) is expected
    assert asked(expression, listed, object=OURS, request=request, params=params) is True


def test_gatekeeper_asks_nothing_of_pods_that_run() -> None:
    rule = next(rule for rule in RULES if rule.name == "host-network")
    expression, listed, params = template(rule)
    assert asked(expression, listed, object=pod(hostNetwork=True), oldObject=pod(hostNetwork=True), params=params)


def test_every_rule_has_its_cases_and_every_bundle_a_rule() -> None:
    assert GOOD.keys() == BAD.keys() == {rule.name for rule in RULES} - {"kept-network-policies"}
    assert {rule.bundle for rule in RULES} == set(BUNDLES) == set(PolicyBundle.__args__)  # type: ignore[attr-defined]
    for rule in RULES:
        alike = [other for other in RULES if (other.bundle, other.resource) == (rule.bundle, rule.resource)]
        assert {other.operations for other in alike} == {rule.operations}
        assert rule.message.count(": ") >= 2


def test_only_what_is_switched_on_is_rendered_and_only_for_the_projects_namespaces() -> None:
    some = Tenant("shop", ["red", "blue"], ["network"])
    made = policy_forms.admission_policies(some)
    assert {obj["metadata"]["name"] for obj in made} == {
        "kubeslice-shop-network-pods",
        "kubeslice-shop-network-services",
        "kubeslice-shop-network-networkpolicies",
    }
    chosen = [{"key": "kubeslice.io/slice", "operator": "In", "values": ["blue", "red"]}]
    for obj in made:
        if obj["kind"].endswith("Binding"):
            assert obj["spec"]["matchResources"]["namespaceSelector"] == {"matchExpressions": chosen}
    for obj in policy_forms.gatekeeper(some)[1::2]:
        assert obj["spec"]["match"]["namespaceSelector"] == {"matchExpressions": chosen}
    assert policy_forms.admission_policies(Tenant("shop", ["red"], [])) == []
    assert policies.of_bundles(["storage"])[0].name == "storage-classes"


def test_templates_are_the_same_for_every_project() -> None:
    other = policy_forms.gatekeeper(Tenant("bank", ["green"], BUNDLES, ["cold"]))
    assert policy_forms.gatekeeper(TENANT)[::2] == other[::2]
    names = [(obj["kind"], obj["metadata"]["name"]) for obj in [*policy_forms.gatekeeper(TENANT)[1::2], *other[1::2]]]
    assert len(set(names)) == len(names)
