"""CustomResourceDefinitions: what may be stored, and with which words others are refused."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubeslice.lab.apiserver.interfaces import GroupVersionKind
from kubeslice.lab.apiserver.schema.builtin import BuiltinSchema
from kubeslice.lab.apiserver.schema.definition import check_definition

Json = dict[str, Any]
ROOT = "spec.validation.openAPIV3Schema"


def definition(**spec_schema: Any) -> Json:
    return {
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {"spec": {"type": "object", **spec_schema}},
                        }
                    },
                }
            ],
        },
    }


def refusals(crd: Json, old: Json | None = None) -> dict[str, str]:
    return {error.path: error.message for error in check_definition(crd, old)}


def changed(path: str, value: Any) -> Json:
    crd = definition()
    *parents, last = path.split(".")
    target: Any = crd
    for step in parents:
        target = target[int(step)] if step.isdigit() else target[step]
    target[last] = value
    return crd


def test_a_good_definition_is_accepted() -> None:
    assert refusals(definition()) == {}


@pytest.mark.parametrize(
    ("path", "value", "field", "message"),
    [
        ("metadata.name", "x", "metadata.name", 'Invalid value: "x": must be spec.names.plural+"."+spec.group'),
        ("spec.group", "", "spec.group", "Required value"),
        ("spec.group", "local", "spec.group", 'Invalid value: "local": should be a domain with at least one dot'),
        ("spec.scope", "World", "spec.scope", 'Unsupported value: "World": supported values: "Cluster", "Namespaced"'),
        ("spec.names.kind", "", "spec.names.kind", "Required value"),
        ("spec.versions.0.storage", False, "spec.versions",
         'Invalid value: ["v1"]: must have exactly one version marked as storage version'),
        ("spec.versions.0.schema", {}, "spec.versions[0].schema.openAPIV3Schema", "Required value"),
        ("spec.versions.0.schema.openAPIV3Schema", {"properties": {}}, f"{ROOT}.type",
         "Required value: must not be empty at the root"),
        ("spec.versions.0.schema.openAPIV3Schema", {"type": "string"}, f"{ROOT}.type",
         'Invalid value: "string": must be object at the root'),
    ],
)  # fmt: skip
def test_a_bad_definition_is_refused(path: str, value: Any, field: str, message: str) -> None:
    assert refusals(changed(path, value))[field] == message


@pytest.mark.parametrize(
    ("schema", "field", "message"),
    [
        (
            {"properties": {"a": {}}},
            "properties[a].type",
            "Required value: must not be empty for specified object fields",
        ),
        ({"properties": {"a": {"type": "array"}}}, "properties[a].items", "Required value: must be specified"),
        (
            {"properties": {"a": {"type": "array", "items": {}}}},
            "properties[a].items.type",
            "Required value: must not be empty for specified array items",
        ),
        (
            {"properties": {"a": {"type": "integer", "default": "x"}}},
            "properties[a].default",
            'Invalid value: "string": default in body must be of type integer: "string"',
        ),
        (
            {"properties": {"a": {"type": "array", "x-kubernetes-list-type": "map", "items": {"type": "object"}}}},
            "properties[a].x-kubernetes-list-map-keys",
            "Required value: must not be empty if x-kubernetes-list-type is map",
        ),
        (
            {"properties": {"a": {"type": "string", "uniqueItems": True}}},
            "properties[a].uniqueItems",
            "Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        ),
        (
            {"properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}},
            "additionalProperties",
            "Forbidden: additionalProperties and properties are mutual exclusive",
        ),
    ],
)
def test_a_schema_that_is_not_structural_is_refused(schema: Json, field: str, message: str) -> None:
    assert refusals(definition(**schema)) == {f"{ROOT}.properties[spec].{field}": message}


FIELDS = {
    "n": {"type": "integer"},
    "ratio": {"type": "number"},
    "port": {"x-kubernetes-int-or-string": True},
    "when": {"type": "string", "format": "date-time"},
    "names": {"type": "array", "items": {"type": "string"}},
    "matchLabels": {"type": "object", "additionalProperties": {"type": "string"}},
    "in-x": {"type": "object", "properties": {"deep": {"type": "boolean"}}},
    "parts": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
    "maybe": {"type": "string", "nullable": True},
    "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
}


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("self.n == foo(1)", "ERROR: <input>:1:14: undeclared reference to 'foo'"),
        ("self.nn == 1", "ERROR: <input>:1:5: undefined field 'nn'\n"),
        ("has(self.nn)", "undefined field 'nn'"),
        ("self.in__dash__x.shallow", "undefined field 'shallow'"),
        ("self.parts.all(p, p.m > 1)", "undefined field 'm'"),
        ("self.open.anything == 1", "undefined field 'anything'"),
        ("self.n + 'a' == 'b'", "found no matching overload for '_+_' applied to '(int, string)'"),
        ("self.names.exists(n, n > 1)", "found no matching overload for '_>_' applied to '(string, int)'"),
        ("self.n", "must evaluate to a bool"),
        ("oldSelf.nn == 1", "undefined field 'nn'"),
    ],
)
def test_a_rule_that_does_not_compile_is_refused(rule: str, why: str) -> None:
    found = refusals(definition(properties=FIELDS, **{"x-kubernetes-validations": [{"rule": rule}]}))
    ((path, message),) = found.items()
    assert path == f"{ROOT}.properties[spec].x-kubernetes-validations[0].rule"
    assert why in message


@pytest.mark.parametrize(
    "rule",
    [
        "self.n > 1 && self.ratio > 1 && self.ratio < 1.5",
        "self.port == 80 || self.port == 'http'",
        "self.when > timestamp('2020-01-01T00:00:00Z')",
        "self.names.all(n, n.startsWith('a')) && 'b' in self.names && self.names.isSorted()",
        "self.matchLabels['a'] == 'b' && self.matchLabels.all(k, k.size() < 9) && !('x' in self.matchLabels)",
        "has(self.in__dash__x) && self.in__dash__x.deep && has(self.open)",
        "self.parts.filter(p, p.n > 1).size() == 1 && self.parts[0].n == 1",
        "self.maybe == null || self.maybe == 'a'",
        "self.?in__dash__x.?deep.orValue(true)",
        "self.n == oldSelf.n && self.parts == oldSelf.parts",
    ],
)
def test_a_rule_may_say_what_the_schema_has(rule: str) -> None:
    assert refusals(definition(properties=FIELDS, **{"x-kubernetes-validations": [{"rule": rule}]})) == {}


def test_the_old_value_may_be_optional() -> None:
    good = {"rule": "oldSelf.hasValue() ? self.n > oldSelf.value().n : true", "optionalOldSelf": True}
    assert refusals(definition(properties=FIELDS, **{"x-kubernetes-validations": [good]})) == {}
    bad = {**good, "rule": "oldSelf.?nn.orValue(1) == 1"}
    (message,) = refusals(definition(properties=FIELDS, **{"x-kubernetes-validations": [bad]})).values()
    assert "undefined field 'nn'" in message


def test_old_values_of_list_items_cannot_be_known() -> None:
    item = {"type": "integer", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}
    (message,) = refusals(definition(properties={"a": {"type": "array", "items": item}})).values()
    assert "oldSelf cannot be used on the uncorrelatable portion of the schema" in message


def test_what_names_a_resource_stays() -> None:
    old = {
        **definition(),
        "status": {"storedVersions": ["v1"], "conditions": [{"type": "Established", "status": "True"}]},
    }
    new = deepcopy(definition())
    new["spec"]["scope"] = "Cluster"
    assert refusals(new, old) == {"spec.scope": 'Invalid value: "Cluster": field is immutable'}
    renamed = deepcopy(definition())
    renamed["spec"]["versions"][0]["name"] = "v2"
    assert list(refusals(renamed, old)) == ["status.storedVersions[0]"]


def test_the_definitions_of_the_project_are_accepted_whole() -> None:
    schema = BuiltinSchema(GroupVersionKind("apiextensions.k8s.io", "v1", "CustomResourceDefinition"))
    files = sorted((Path(__file__).parents[3] / "crds").glob("*.yaml"))
    assert files
    for file in files:
        crd = yaml.safe_load(file.read_text())
        assert schema.unknown_fields(crd) == [], file
        pruned = schema.prune(crd)
        assert pruned == crd, file
        kinds = pruned["spec"]["names"]
        kinds |= {"listKind": f"{kinds['kind']}List", "singular": kinds["kind"].lower()}
        assert schema.validate(pruned, None) == [], file
