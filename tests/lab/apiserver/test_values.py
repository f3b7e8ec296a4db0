"""Structural schemas: validation messages, ratcheting, formats, pruning and defaulting."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.lab.apiserver.schema import defaulting, formats, lists, pruning, values
from kubeslice.lab.apiserver.schema.node import parse

Json = dict[str, Any]

SPEC: Json = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 32},
        "ratio": {"type": "number", "exclusiveMaximum": True, "maximum": 1, "multipleOf": 0.5},
        "name": {"type": "string", "minLength": 2, "maxLength": 5, "pattern": "^[a-z]+$"},
        "mode": {"type": "string", "enum": ["fast", "safe"], "default": "safe"},
        "when": {"type": "string", "format": "date-time"},
        "maybe": {"type": "string", "nullable": True},
        "port": {"x-kubernetes-int-or-string": True},
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "maxItems": 3, "items": {"type": "string"}},
        "ports": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port", "protocol"],
            "items": {
                "type": "object",
                "required": ["port"],
                "properties": {
                    "port": {"type": "integer", "maximum": 10},
                    "protocol": {"type": "string", "default": "TCP"},
                },
            },
        },
        "labels": {"type": "object", "maxProperties": 2, "additionalProperties": {"type": "string"}},
        "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "either": {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
                   "properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
    },
}  # fmt: skip
NODE = parse({"type": "object", "properties": {"spec": SPEC}})


def complaints(spec: Any, old: Any = None) -> list[tuple[str, str]]:
    before = None if old is None else {"spec": old}
    return [(error.path, error.message) for error in values.check(NODE, {"spec": spec}, "", before)]


@pytest.mark.parametrize(
    ("spec", "path", "message"),
    [
        ({}, "spec.size", "Required value"),
        ({"size": 64}, "spec.size", "Invalid value: 64: spec.size in body should be less than or equal to 32"),
        ({"size": 0}, "spec.size", "Invalid value: 0: spec.size in body should be greater than or equal to 1"),
        ({"size": "1"}, "spec.size", 'Invalid value: "string": spec.size in body must be of type integer: "string"'),
        ({"size": True}, "spec.size", 'Invalid value: "boolean": spec.size in body must be of type integer: "boolean"'),
        ({"size": None}, "spec.size", 'Invalid value: "null": spec.size in body must be of type integer: "null"'),
        ({"size": 1, "ratio": 1}, "spec.ratio", "Invalid value: 1: spec.ratio in body should be less than 1"),
        ({"size": 1, "ratio": 0.3}, "spec.ratio", "Invalid value: 0.3: spec.ratio in body should be a multiple of 0.5"),
        (
            {"size": 1, "name": "a"},
            "spec.name",
            'Invalid value: "a": spec.name in body should be at least 2 chars long',
        ),
        ({"size": 1, "name": "abcdef"}, "spec.name", "Too long: may not be more than 5 bytes"),
        ({"size": 1, "name": "A1"}, "spec.name", "Invalid value: \"A1\": spec.name in body should match '^[a-z]+$'"),
        ({"size": 1, "mode": "x"}, "spec.mode", 'Unsupported value: "x": supported values: "fast", "safe"'),
        (
            {"size": 1, "when": "now"},
            "spec.when",
            'Invalid value: "now": spec.when in body must be of type date-time: "now"',
        ),
        (
            {"size": 1, "port": 1.5},
            "spec.port",
            'Invalid value: "number": spec.port in body must be of type integer,string: "number"',
        ),
        ({"size": 1, "tags": list("abcd")}, "spec.tags", "Too many: 4: must have at most 3 items"),
        (
            {"size": 1, "ports": [{"port": 11}]},
            "spec.ports[0].port",
            "Invalid value: 11: spec.ports[0].port in body should be less than or equal to 10",
        ),
        (
            {"size": 1, "labels": {"a": 1}},
            "spec.labels.a",
            'Invalid value: "integer": spec.labels.a in body must be of type string: "integer"',
        ),
        (
            {"size": 1, "either": {"a": "", "b": ""}},
            "<nil>",
            (
                'Invalid value: "": "spec.either" must validate one and only one schema (oneOf). Found 2 valid '
                "alternatives"
            ),
        ),
        ({"size": 2**31}, "<nil>", "Checked value must be of type integer with format int32 in spec.size"),
    ],
)
def test_what_is_wrong_is_said_as_kube_apiserver_says_it(spec: Json, path: str, message: str) -> None:
    found = complaints(spec)
    assert any(where == path and text.endswith(message) for where, text in found), found


@pytest.mark.parametrize(
    "spec",
    [
        {"size": 32},
        {"size": 1.0},
        {"size": 1, "ratio": 0},
        {"size": 1, "maybe": None},
        {"size": 1, "port": "http"},
        {"size": 1, "port": 80},
        {"size": 1, "when": "2024-02-29T01:02:03.5+01:00"},
        {"size": 1, "open": {"anything": [1, {"goes": None}]}},
        {"size": 1, "either": {"b": "x"}},
    ],
)
def test_what_is_right_is_accepted(spec: Json) -> None:
    assert complaints(spec) == []


def test_an_update_is_silent_about_what_did_not_change() -> None:
    assert complaints({"size": 64, "name": "ok"}, {"size": 64, "name": "xx"}) == []
    assert len(complaints({"size": 65}, {"size": 64})) == 1
    old = {"size": 1, "ports": [{"port": 11}, {"port": 2}]}
    assert complaints({"size": 1, "ports": [{"port": 3}, {"port": 11}]}, old) == []
    assert len(complaints({"size": 1, "ports": [{"port": 12}]}, old)) == 1


def test_sets_and_maps_have_no_twins() -> None:
    spec = {
        "tags": ["a", "b", "a"],
        "ports": [{"port": 1}, {"port": 1, "protocol": "TCP"}, {"port": 1, "protocol": "UDP"}],
    }
    found = [(error.path, error.reason, error.message) for error in lists.check(NODE, {"spec": spec})]
    assert found == [
        ("spec.tags[2]", "FieldValueDuplicate", 'Duplicate value: "a"'),
        ("spec.ports[1]", "FieldValueDuplicate", 'Duplicate value: {"port":1,"protocol":"TCP"}'),
    ]


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "fe80::1", "10.0.0.1"),
        ("cidr", "10.0.0.1/8", "10.0.0.0"),
        ("date", "2024-02-29", "2023-02-29"),
        ("date-time", "2024-02-29T23:59:60Z", "2024-02-29 23:59:00"),
        ("duration", "1h30m", "1x"),
        ("mac", "02:6b:0a:00:00:01", "02:6b:0a:00:00"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
        ("hostname", "a.example.com", "-a.example.com"),
        ("uri", "https://example.com/a", "example"),
        ("byte", "aGVsbG8=", "%%"),
        ("email", "a@example.com", "example.com"),
    ],
)
def test_formats(name: str, right: str, wrong: str) -> None:
    assert formats.is_valid(name, right)
    assert not formats.is_valid(name, wrong)
    assert formats.is_valid("no-such-format", wrong)


def test_unknown_fields_are_named_and_pruned() -> None:
    obj = {
        "apiVersion": "v1",
        "metadata": {"x": 1},
        "top": 1,
        "spec": {"size": 1, "more": 2, "ports": [{"port": 1, "extra": 3}], "labels": {"any": "x"}, "open": {"y": 1}},
    }
    assert list(pruning.unknown_fields(NODE, obj, whole=True)) == ["top", "spec.more", "spec.ports[0].extra"]
    assert pruning.prune(NODE, obj, whole=True) == {
        "apiVersion": "v1",
        "metadata": {"x": 1},
        "spec": {"size": 1, "ports": [{"port": 1}], "labels": {"any": "x"}, "open": {"y": 1}},
    }


def test_defaults_fill_what_is_absent_or_null() -> None:
    filled = defaulting.fill(
        NODE, {"spec": {"size": 1, "mode": None, "maybe": None, "name": None, "ports": [{"port": 1}]}}
    )
    assert filled == {"spec": {"size": 1, "mode": "safe", "maybe": None, "ports": [{"port": 1, "protocol": "TCP"}]}}


_SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "bb", "TCP"])
_NAMES = st.sampled_from(["spec", "size", "mode", "ports", "port", "protocol", "labels", "open", "tags", "x"])
_JSON = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4), max_leaves=12
)


@given(st.dictionaries(_NAMES, _JSON, max_size=4))
def test_pruning_leaves_nothing_unknown_and_is_done_at_once(obj: Json) -> None:
    pruned = pruning.prune(NODE, obj)
    assert list(pruning.unknown_fields(NODE, pruned)) == []
    assert pruning.prune(NODE, pruned) == pruned


@given(st.dictionaries(_NAMES, _JSON, max_size=4))
def test_defaulting_is_done_at_once_and_checking_never_fails(obj: Json) -> None:
    filled = defaulting.fill(NODE, obj)
    assert defaulting.fill(NODE, filled) == filled
    assert list(values.check(NODE, filled, "", filled)) == []
    assert list(values.check(NODE, filled)) == list(values.check(NODE, filled))
