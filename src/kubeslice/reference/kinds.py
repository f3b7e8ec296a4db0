"""A page for each kind, from the same schema that its CRD has."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kubeslice.model.base import Kind
from kubeslice.model.crd import object_schema
from kubeslice.model.kinds import HUB_KINDS
from kubeslice.reference import markdown

Schema = Mapping[str, Any]

UNCHANGEABLE = "self == oldSelf"
OLD_FIELD = re.compile(r"oldSelf((?:\.\w+)+)")
LIMITS = {
    "minimum": "≥ {}",
    "maximum": "≤ {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "format": "{}",
    "pattern": "`{}`",
}


@dataclass(frozen=True)
class Field:
    """One field of a kind: its path, its schema, and whether its object cannot be without it."""

    path: str
    schema: Schema
    is_required: bool


def page(kind: type[Kind], example: str) -> str:
    """Return the page of a kind with an example in YAML."""
    resource, schema = kind.resource, object_schema(kind)
    where = "the hub" if kind in HUB_KINDS else "worker clusters"
    names = " or ".join(markdown.code(f"kubectl get {name}") for name in (resource.plural, *kind.short_names))
    return markdown.page(
        resource.kind,
        (kind.__doc__ or "").partition("\n")[0],
        f"{markdown.code(resource.api_version)}, namespaced, on {where}; {names}.",
        "## Example",
        markdown.listing("yaml", example),
        *_section("spec", schema),
        *_section("status", schema),
        *_rules(schema),
        "What the conditions say: [conditions](../conditions.md).",
    )


def index(kinds: Iterable[type[Kind]]) -> str:
    """Return the table of all kinds, as a part of the reference's first page."""
    rows = [
        (
            f"[{kind.resource.kind}](kinds/{file_name(kind)})",
            markdown.code(kind.resource.api_version),
            "hub" if kind in HUB_KINDS else "worker",
            (kind.__doc__ or "").partition("\n")[0],
        )
        for kind in kinds
    ]
    return markdown.table(("kind", "version", "where", "what"), rows)


def file_name(kind: type[Kind]) -> str:
    """Return the name of a kind's page."""
    return f"{kind.resource.kind.lower()}.md"


def fields(schema: Schema, path: str) -> Iterator[Field]:
    """Walk through the fields of an object's schema, each before its own fields."""
    required = schema.get("required", [])
    for name, value in schema.get("properties", {}).items():
        yield Field(f"{path}{name}", value, name in required)
        yield from _inside(value, f"{path}{name}")


def _inside(schema: Schema, path: str) -> Iterator[Field]:
    if path.endswith("conditions"):  # the same for every kind, on a page of their own
        return
    for key, bracket in (("items", "[]"), ("additionalProperties", "{}")):
        if key in schema:
            yield from fields(schema[key], f"{path}{bracket}.")
    yield from fields(schema, f"{path}.")


def _section(part: str, schema: Schema) -> list[str]:
    root = schema["properties"].get(part, {})
    found = list(fields(root, ""))
    limited = set(_limited(root, "")) | {name for field in found for name in _limited(field.schema, f"{field.path}.")}
    rows = [_spec_row(field, limited) if part == "spec" else _row(field) for field in found]
    headings = (
        ("field", "type", "default", "limits", "can change", "what") if part == "spec" else ("field", "type", "what")
    )
    drawn = markdown.table(headings, rows)
    return [f"## {part}", drawn] if drawn else []


def _row(field: Field) -> tuple[str, ...]:
    return markdown.code(field.path), _type(field.schema), str(field.schema.get("description", ""))


def _spec_row(field: Field, limited: Collection[str]) -> tuple[str, ...]:
    name, kind, what = _row(field)
    return name, kind, _default(field), "; ".join(_limits(field.schema)), _mutability(field, limited), what


def _mutability(field: Field, limited: Collection[str]) -> str:
    """Return whether a field can change once it is set, as far as the API server itself decides that."""
    rules = [rule["rule"] for rule in field.schema.get("x-kubernetes-validations", [])]
    if UNCHANGEABLE in rules:
        return "no"
    is_limited = field.path in limited or any("oldSelf" in rule for rule in rules)
    return "limited, see below" if is_limited else "yes"


def _limited(schema: Schema, path: str) -> Iterator[str]:
    """Yield the fields that the rules of an object compare with what they were before."""
    for rule in schema.get("x-kubernetes-validations", []):
        for name in OLD_FIELD.findall(rule["rule"]):
            yield f"{path}{name.removeprefix('.')}"


def _type(schema: Schema) -> str:
    if schema.get("x-kubernetes-int-or-string"):
        return "integer or string"
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}s"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"map of {_type(schema['additionalProperties'])}s"
    return str(schema["type"])


def _default(field: Field) -> str:
    if field.is_required:
        return "*required*"
    default = field.schema.get("default")
    if default is None or default in ([], {}):
        return ""
    return markdown.code(str(default).lower() if isinstance(default, bool) else str(default))


def _limits(schema: Schema) -> Iterator[str]:
    if "enum" in schema:
        yield ", ".join(markdown.code(str(value)) for value in schema["enum"])
    for key, words in LIMITS.items():
        if key in schema:
            yield words.format(schema[key])
    if keys := schema.get("x-kubernetes-list-map-keys"):
        yield f"one for each {', '.join(markdown.code(key) for key in keys)}"
    items = schema.get("items", {})
    if schema.get("type") == "array" and items["type"] != "object":
        yield from (f"each {limit}" for limit in _limits(items))


def _rules(schema: Schema) -> list[str]:
    found = [*_sentences("metadata.name", schema)]
    for field in fields(schema, ""):
        found += _sentences(field.path, field.schema)
    if not found:
        return []
    return ["## What the API server refuses", "Beside the limits above:", markdown.bullets(dict.fromkeys(found))]


def _sentences(path: str, schema: Schema) -> list[str]:
    return [f"{markdown.code(path)}: {rule['message']}" for rule in schema.get("x-kubernetes-validations", [])]
