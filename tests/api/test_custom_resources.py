"""Custom resources: definitions, validation, defaults, pruning, rules, as any API server of Kubernetes has them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.client import JSON_PATCH, MERGE_PATCH, Client, Object

pytestmark = pytest.mark.api

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SPEC: Object = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "minimum": 1, "maximum": 32},
        "limit": {"type": "integer", "default": 16},
        "mode": {"type": "string", "enum": ["fast", "safe"]},
        "subnet": {
            "type": "string",
            "x-kubernetes-validations": [
                {"rule": "isCIDR(self)", "messageExpression": "'%s is no subnet'.format([self])"},
                {"rule": "self == oldSelf", "message": "the subnet cannot change"},
            ],
        },
        "port": {"x-kubernetes-int-or-string": True},
        "maybe": {"type": "string", "nullable": True},
        "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "items": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "n": {"type": "integer"}},
            },
        },
    },
    "x-kubernetes-validations": [{"rule": "self.size <= self.limit", "message": "size is above limit"}],
}


def definition(name: str, spec: Object = SPEC) -> Object:
    schema = {"type": "object", "properties": {"spec": spec, "status": {"type": "object"}}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{name}s.{name}.example.com"},
        "spec": {
            "group": f"{name}.example.com",
            "scope": "Namespaced",
            "names": {"plural": f"{name}s", "singular": name, "kind": name.capitalize(), "listKind": f"{name}List"},
            "versions": [version],
        },
    }


@pytest.fixture
async def things(api: Client, namespace: str, name: str) -> AsyncIterator[str]:
    """The path of a collection of custom resources."""
    crd = definition(name)
    (await api.create(DEFINITIONS, crd)).expect(201)
    path = f"/apis/{name}.example.com/v1/namespaces/{namespace}/{name}s"
    await api.until(path, lambda reply: reply.code == 200)
    yield path
    await api.delete(f"{DEFINITIONS}/{crd['metadata']['name']}")


async def make(api: Client, things: str, **spec: Any) -> Any:
    group, version = things.split("/")[2:4]
    kind = group.partition(".")[0].capitalize()
    body = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": {"name": "x"}, "spec": spec}
    return await api.create(things, body)


async def test_defaults_are_filled_in_and_unknown_fields_dropped(api: Client, things: str) -> None:
    made = (await make(api, things, size=1, strange=1, maybe=None, mode=None, open={"any": {"thing": 1}})).expect(201)
    assert made["spec"] == {"size": 1, "limit": 16, "maybe": None, "open": {"any": {"thing": 1}}}


async def test_strict_clients_hear_of_unknown_fields(api: Client, things: str) -> None:
    group = things.split("/")[2]
    body = {"apiVersion": f"{group}/v1", "kind": group.partition(".")[0].capitalize(), "metadata": {"name": "x"}}
    body |= {"spec": {"size": 1, "strange": 1}}
    refused = await api.create(things, body, fieldValidation="Strict")
    assert refused.expect(400)["message"].endswith('strict decoding error: unknown field "spec.strange"')
    warned = await api.create(things, body, fieldValidation="Warn")
    warned.expect(201)
    assert warned.headers["Warning"] == '299 - "unknown field \\"spec.strange\\""'


@pytest.mark.parametrize(
    ("spec", "field", "reason", "message"),
    [
        ({}, "spec.size", "FieldValueRequired", "Required value"),
        (
            {"size": 64, "limit": 99},
            "spec.size",
            "FieldValueInvalid",
            "Invalid value: 64: spec.size in body should be less than or equal to 32",
        ),
        (
            {"size": "1"},
            "spec.size",
            "FieldValueTypeInvalid",
            'Invalid value: "string": spec.size in body must be of type integer: "string"',
        ),
        (
            {"size": 1, "mode": "x"},
            "spec.mode",
            "FieldValueNotSupported",
            'Unsupported value: "x": supported values: "fast", "safe"',
        ),
        (
            {"size": 1, "port": 1.5},
            "spec.port",
            "FieldValueTypeInvalid",
            'Invalid value: "number": spec.port in body must be of type integer,string: "number"',
        ),
    ],
)
async def test_what_does_not_fit_the_schema_is_refused(
    api: Client, things: str, spec: Object, field: str, reason: str, message: str
) -> None:
    refused = await make(api, things, **spec)
    refused.expect(422)
    assert refused.reason == "Invalid"
    assert {"field": field, "reason": reason, "message": message} in refused.causes


async def test_rules_judge_the_whole(api: Client, things: str) -> None:
    refused = await make(api, things, size=20, subnet="10.0.0.0/8")
    assert "size is above limit" in refused.expect(422)["message"]
    assert refused.causes[0]["field"] == "spec"
    refused = await make(api, things, size=1, subnet="nonsense")
    assert "nonsense is no subnet" in refused.expect(422)["message"]


async def test_rules_wait_until_the_structure_is_right(api: Client, things: str) -> None:
    refused = await make(api, things, size="x")
    refused.expect(422)
    assert refused.causes[-1] == {
        "reason": "FieldValueInvalid",
        "field": "<nil>",
        "message": "Invalid value: null: some validation rules were not checked because the object was invalid;"
        " correct the existing errors to complete validation",
    }


async def test_rules_judge_transitions(api: Client, things: str) -> None:
    (await make(api, things, size=1, subnet="10.0.0.0/8")).expect(201)
    refused = await api.patch(f"{things}/x", MERGE_PATCH, {"spec": {"subnet": "10.0.0.0/9"}})
    assert "the subnet cannot change" in refused.expect(422)["message"]
    (await api.patch(f"{things}/x", MERGE_PATCH, {"spec": {"size": 2}})).expect()
    (await api.patch(f"{things}/x", JSON_PATCH, [{"op": "remove", "path": "/spec/subnet"}])).expect()
    (await api.patch(f"{things}/x", MERGE_PATCH, {"spec": {"subnet": "10.0.0.0/9"}})).expect()


async def test_items_of_a_map_list_are_unique(api: Client, things: str) -> None:
    refused = await make(api, things, size=1, items=[{"name": "a"}, {"name": "a"}])
    refused.expect(422)
    assert refused.causes[0]["reason"] == "FieldValueDuplicate"
    assert refused.causes[0]["field"] == "spec.items[1]"


async def test_items_of_a_map_list_have_owners(api: Client, things: str) -> None:
    group = things.split("/")[2]
    head = {"apiVersion": f"{group}/v1", "kind": group.partition(".")[0].capitalize(), "metadata": {"name": "x"}}
    one = head | {"spec": {"size": 1, "items": [{"name": "a", "n": 1}]}}
    (await api.apply(f"{things}/x", one, "first")).expect(201)
    two = head | {"spec": {"items": [{"name": "b", "n": 2}]}}
    both = (await api.apply(f"{things}/x", two, "second")).expect()
    assert both["spec"]["items"] == [{"name": "a", "n": 1}, {"name": "b", "n": 2}]


@pytest.mark.parametrize(
    ("spec", "field", "said"),
    [
        ({"type": "object", "properties": {"a": {}}}, "properties[spec].properties[a].type", "Required value"),
        ({"type": "object", "x-kubernetes-validations": [{"rule": "foo(1)"}]},
         "properties[spec].x-kubernetes-validations[0].rule", "undeclared reference to 'foo'"),
        ({"type": "object", "x-kubernetes-validations": [{"rule": "1 + 1"}]},
         "properties[spec].x-kubernetes-validations[0].rule", "must evaluate to a bool"),
        ({"type": "object", "properties": {"a": {"type": "integer", "default": "x"}}},
         "properties[spec].properties[a].default", "must be of type integer"),
    ],
)  # fmt: skip
async def test_bad_definitions_are_refused(api: Client, name: str, spec: Object, field: str, said: str) -> None:
    refused = await api.create(DEFINITIONS, definition(name, spec))
    refused.expect(422)
    found = {cause["field"]: cause["message"] for cause in refused.causes}
    assert said in found[f"spec.validation.openAPIV3Schema.{field}"]


async def test_a_definition_is_named_after_what_it_defines(api: Client, name: str) -> None:
    crd = definition(name)
    crd["metadata"]["name"] = f"{name}.example.com"
    refused = await api.create(DEFINITIONS, crd)
    refused.expect(422)
    assert any('must be spec.names.plural+"."+spec.group' in cause["message"] for cause in refused.causes)


async def test_documents_describe_custom_resources(api: Client, things: str) -> None:
    group = things.split("/")[2]
    name = group.partition(".")[0]
    where = f"/openapi/v3/apis/{group}/v1"
    document = await api.until(where, lambda reply: reply.code == 200)
    kind = {"group": group, "version": "v1", "kind": name.capitalize()}
    found = [
        schema
        for schema in document["components"]["schemas"].values()
        if kind in schema.get("x-kubernetes-group-version-kind", [])
    ]
    assert found[0]["properties"]["spec"]["properties"]["size"]["maximum"] == 32
    patch = document["paths"][f"/apis/{group}/v1/namespaces/{{namespace}}/{name}s/{{name}}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == kind
