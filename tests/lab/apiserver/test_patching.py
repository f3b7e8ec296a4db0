"""JSON patches against the examples and laws of their RFCs, and arrangements of strategic merge patches."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.lab.apiserver.fields.shapes import Shape
from kubeslice.lab.apiserver.interfaces import GroupVersionKind
from kubeslice.lab.apiserver.patching import json_patch, merge_patch, strategic
from kubeslice.lab.apiserver.schema.builtin import BuiltinSchema

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a", "b/c", "d~e"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b/c", "d~e"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("document", "operation", "expected"),
    [
        ({"foo": "bar"}, {"op": "add", "path": "/baz", "value": "qux"}, {"baz": "qux", "foo": "bar"}),
        ({"foo": ["a", "c"]}, {"op": "add", "path": "/foo/1", "value": "b"}, {"foo": ["a", "b", "c"]}),
        ({"foo": ["a"]}, {"op": "add", "path": "/foo/-", "value": "b"}, {"foo": ["a", "b"]}),
        ({"foo": ["a", "b"]}, {"op": "remove", "path": "/foo/0"}, {"foo": ["b"]}),
        ({"a": {"b": 1}, "c": {}}, {"op": "move", "from": "/a/b", "path": "/c/d"}, {"a": {}, "c": {"d": 1}}),
        ({"/": 9, "~1": 10}, {"op": "test", "path": "/~01", "value": 10}, {"/": 9, "~1": 10}),
        ({"a": 1}, {"op": "replace", "path": "", "value": {"b": 2}}, {"b": 2}),
    ],
)
def test_examples_of_rfc_6902(document: Any, operation: dict[str, Any], expected: Any) -> None:
    assert json_patch.apply(document, [operation]) == expected


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "/x/y", "value": 1},
        {"op": "remove", "path": "/x"},
        {"op": "replace", "path": "/x", "value": 1},
        {"op": "add", "path": "/list/5", "value": 1},
        {"op": "test", "path": "/list", "value": []},
        {"op": "spread", "path": "/list"},
    ],
)
def test_patches_that_do_not_fit(operation: dict[str, Any]) -> None:
    document = {"list": [1]}
    with pytest.raises(json_patch.PatchFailed):
        json_patch.apply(document, [operation])
    assert document == {"list": [1]}


@given(JSON, JSON)
def test_replacing_the_whole_makes_the_other(one: Any, other: Any) -> None:
    assert json_patch.apply(one, [{"op": "replace", "path": "", "value": other}]) == other


@pytest.mark.parametrize(
    ("document", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"a": "c"}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        (["a"], {"a": "b"}, {"a": "b"}),
    ],
)
def test_examples_of_rfc_7386(document: Any, patch: Any, expected: Any) -> None:
    assert merge_patch.apply(document, patch) == expected


@given(JSON, JSON)
def test_a_merge_patch_is_idempotent(document: Any, patch: Any) -> None:
    once = merge_patch.apply(document, patch)
    assert merge_patch.apply(once, patch) == once


POD = Shape(BuiltinSchema(GroupVersionKind("", "v1", "Pod")))


def containers(*names: str) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": name} for name in names]}}


@given(st.permutations(["a", "b", "c"]), st.permutations(["a", "b", "c", "d"]))
def test_named_items_take_the_order_that_is_asked_for(live: list[str], order: list[str]) -> None:
    patch = containers("d")
    patch["spec"]["$setElementOrder/containers"] = [{"name": name} for name in order]
    merged = strategic.apply(containers(*live), patch, POD)
    assert [one["name"] for one in merged["spec"]["containers"]] == order


@given(st.lists(st.sampled_from("abcd"), unique=True), st.lists(st.sampled_from("abcd"), unique=True))
def test_a_strategic_patch_keeps_every_item_once(live: list[str], patched: list[str]) -> None:
    merged = strategic.apply(containers(*live), containers(*patched), POD)
    assert sorted(one["name"] for one in merged["spec"]["containers"]) == sorted({*live, *patched})
