"""Field sets and ownership: laws that hold for all objects and managers."""

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from kubeslice.lab.apiserver.fields import managers, ownership, sets
from kubeslice.lab.apiserver.fields.compare import compare, field_set
from kubeslice.lab.apiserver.fields.managers import Holding, Manager, manager_of
from kubeslice.lab.apiserver.fields.merge import merge, remove
from kubeslice.lab.apiserver.fields.sets import FieldSet
from kubeslice.lab.apiserver.fields.shapes import Shape
from kubeslice.lab.apiserver.schema.custom import compile_schema

SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "size": {"type": "integer"},
                "color": {"type": "string"},
                "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                "ports": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {"name": {"type": "string"}, "number": {"type": "integer"}},
                    },
                },
            },
        }
    },
}
SHAPE = Shape(compile_schema(SCHEMA))
PATHS = st.lists(st.sampled_from(["f:a", "f:b", 'k:{"n":1}']), min_size=1, max_size=3).map(tuple)


@st.composite
def field_sets(draw: st.DrawFn) -> FieldSet:
    result: FieldSet = {}
    for path in draw(st.lists(PATHS, max_size=6)):
        sets.insert(result, path)
    return result


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from("xyz"), unique=True, max_size=3))
    numbers = st.integers(1, 2)
    optional = {
        "size": draw(st.none() | numbers),
        "color": draw(st.none() | st.sampled_from(["red", "blue"])),
        "tags": draw(st.none() | st.lists(st.sampled_from("ab"), unique=True, min_size=1, max_size=2)),
        "ports": [{"name": name, "number": draw(numbers)} for name in names] or None,
    }
    return {"spec": {name: value for name, value in optional.items() if value is not None}}


def members(fields: FieldSet) -> set[tuple[str, ...]]:
    return set(sets.paths(fields))


@given(field_sets(), field_sets())
def test_the_algebra_is_that_of_sets_of_paths(one: FieldSet, other: FieldSet) -> None:
    assert members(sets.union(one, other)) == members(one) | members(other)
    assert members(sets.intersection(one, other)) == members(one) & members(other)
    assert members(sets.difference(one, other)) == members(one) - members(other)


@given(field_sets(), field_sets())
def test_subtrees_go_as_a_whole(one: FieldSet, other: FieldSet) -> None:
    kept = members(sets.without_subtrees(one, other))
    roots = members(other)
    assert kept == {path for path in members(one) if not any(path[: len(root)] == root for root in roots)}


@given(field_sets())
def test_a_set_survives_being_stored(fields: FieldSet) -> None:
    obj: dict[str, Any] = {"metadata": {}}
    manager = manager_of("m", "Update", "v1")
    managers.write(obj, {manager: Holding(fields, "v1", "t")})
    if fields:
        assert managers.read(obj) == {manager: Holding(fields, "v1", "t")}
    else:
        assert "managedFields" not in obj["metadata"]


@given(specs())
def test_nothing_differs_from_itself(spec: dict[str, Any]) -> None:
    found = compare(spec, spec, SHAPE)
    assert (found.added, found.removed, found.modified) == ({}, {}, {})


@given(specs(), specs())
def test_what_one_side_has_the_other_lacks(one: dict[str, Any], other: dict[str, Any]) -> None:
    there, back = compare(one, other, SHAPE), compare(other, one, SHAPE)
    assert there.added == back.removed
    assert there.modified == back.modified


@given(specs(), specs())
def test_a_merge_holds_all_that_was_applied(live: dict[str, Any], config: dict[str, Any]) -> None:
    assume(config["spec"])  # an empty object is claimed itself only while nothing is in it
    merged = merge(live, config, SHAPE)
    assert members(field_set(config, SHAPE)) <= members(field_set(merged, SHAPE))
    assert merge(merged, config, SHAPE) == merged


@given(specs())
def test_removing_all_leaves_nothing(spec: dict[str, Any]) -> None:
    assert remove(spec, sets.with_parents(field_set(spec, SHAPE)), SHAPE) == {}


def apply(live: dict[str, Any], config: dict[str, Any], name: str) -> dict[str, Any]:
    head = {"apiVersion": "example.com/v1", "kind": "Thing"}
    manager = manager_of(name, "Apply", "")
    body = head | {"metadata": {"name": "a"}} | config
    result, owners = ownership.applied(live, body, SHAPE, manager, "example.com/v1", "now", {}, force=True)
    managers.write(result, owners)
    return result


def start() -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}}


def spec_of(obj: dict[str, Any]) -> dict[str, Any]:
    return {"spec": obj["spec"]} if obj.get("spec") else {"spec": {}}


@given(specs(), specs())
def test_the_last_apply_alone_decides(first: dict[str, Any], second: dict[str, Any]) -> None:
    result = apply(apply(start(), first, "one"), second, "one")
    assert members(field_set(spec_of(result), SHAPE)) == members(field_set(spec_of(second), SHAPE))


@given(specs(), specs())
def test_who_takes_everything_back_leaves_the_others_as_they_were(mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    both = apply(apply(start(), mine, "one"), theirs, "two")
    left = apply(both, {"spec": {}}, "one")
    remaining = spec_of(left)
    assert members(field_set(spec_of(theirs), SHAPE)) == members(field_set(remaining, SHAPE))


def test_appliers_are_told_apart_from_updaters() -> None:
    assert manager_of("m", "Apply", "v1") == Manager("m", "Apply")
    assert manager_of("m", "Update", "v1") != manager_of("m", "Update", "v2")
