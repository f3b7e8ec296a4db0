"""Our kinds have every field of the Go implementation's, and differ from them only as the reference says.

`go_fields.tsv` holds a line for each of their fields: kind, path, type, and constraints separated by " · ".
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kubeslice.model.crd import object_schema
from kubeslice.model.kinds import HUB_KINDS, WORKER_KINDS
from kubeslice.reference.differences import TABLE

Schema = Mapping[str, Any]
LIMITS = {
    "min": "minimum",
    "max": "maximum",
    "minLen": "minLength",
    "maxLen": "maxLength",
    "pattern": "pattern",
    "minItems": "minItems",
    "maxItems": "maxItems",
}
NOTHING: tuple[Any, ...] = (None, [], {}, "", False)


class Theirs(NamedTuple):
    kind: str
    path: str
    type: str
    constraints: dict[str, str]


class Ours(NamedTuple):
    schema: Schema
    is_required: bool


def _read() -> Iterator[Theirs]:
    for line in (Path(__file__).parent / "go_fields.tsv").read_text().splitlines():
        kind, path, type_, constraints = line.split("\t")
        parts = (part.partition("=") for part in constraints.split(" · ") if part)
        plain = type_.removesuffix(" (empty)").replace("/int32", "").replace("/int64", "")
        yield Theirs(kind, path, plain, {key: value for key, _, value in parts})


THEIRS = list(_read())
KINDS = {kind.__name__: kind for kind in (*HUB_KINDS, *WORKER_KINDS)}


@cache
def _ours(kind: str) -> dict[str, Ours]:
    return dict(_fields(object_schema(KINDS[kind]), ""))


def _fields(schema: Schema, path: str) -> Iterator[tuple[str, Ours]]:
    for name, value in schema.get("properties", {}).items():
        yield f"{path}{name}", Ours(value, name in schema.get("required", ()))
        yield from _inside(value, f"{path}{name}")


def _inside(schema: Schema, path: str) -> Iterator[tuple[str, Ours]]:
    for key, bracket in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(key), dict):
            yield from _inside(schema[key], f"{path}{bracket}")
    yield from _fields(schema, f"{path}.")


def _type(schema: Schema) -> str:
    if schema["type"] == "array":
        return f"[]{_type(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"map[string]{_type(schema['additionalProperties'])}"
    return "string/date-time" if schema.get("format") == "date-time" else str(schema["type"])


def _aspects(theirs: Theirs, ours: Ours) -> Iterator[str]:
    schema, said = ours.schema, theirs.constraints
    if _type(schema) != theirs.type:
        yield "type"
    if ours.is_required != ("required" in said and "default" not in said):
        yield "required"
    if set(schema.get("enum", ())) != set(filter(None, said.get("enum", "").split(","))):
        yield "values"
    default = schema.get("default")
    if str(default) != said.get("default") and not ("default" not in said and default in NOTHING):
        yield "default"
    if any(str(schema.get(ours_, "")) != said.get(key, "") for key, ours_ in LIMITS.items()):
        yield "limits"


def _differences() -> Iterator[tuple[str, str, str]]:
    for theirs in THEIRS:
        for aspect in _aspects(theirs, _ours(theirs.kind)[theirs.path]):
            yield theirs.kind, theirs.path, aspect


@pytest.mark.parametrize("kind", sorted({theirs.kind for theirs in THEIRS}))
def test_every_field_of_theirs_is_here(kind: str) -> None:
    assert [theirs.path for theirs in THEIRS if theirs.kind == kind and theirs.path not in _ours(kind)] == []


def test_what_differs_is_listed_with_its_reason() -> None:
    unlisted = [found for found in _differences() if not any(entry.covers(*found) for entry in TABLE)]
    assert unlisted == []


def test_the_list_says_nothing_that_is_not_so() -> None:
    found = list(_differences())
    assert [entry for entry in TABLE if not any(entry.covers(*one) for one in found)] == []


def test_the_table_is_whole() -> None:
    assert len(THEIRS) == 406
    assert len({(theirs.kind, theirs.path) for theirs in THEIRS}) == 406
