"""One place in a structural schema, parsed once from its OpenAPI form; every other module of this package walks these.

Source:
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


class _Absent:
    """Marks a schema without a default: `None` is a default of its own."""

    __slots__ = ()


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits a value must keep; `None` is no limit."""

    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    multiple_of: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str = ""
    min_items: int | None = None
    max_items: int | None = None
    unique_items: bool = False
    min_properties: int | None = None
    max_properties: int | None = None


NO_BOUNDS = Bounds()


@dataclass(frozen=True, slots=True)
class Node:
    """The schema of one value. An empty `type` accepts every type; `model` names the built-in type it is made from."""

    type: str = ""
    properties: Mapping[str, "Node"] = field(default_factory=dict)
    additional: "Node | None" = None
    items: "Node | None" = None
    required: tuple[str, ...] = ()
    nullable: bool = False
    int_or_string: bool = False
    preserve: bool = False
    embedded: bool = False
    list_type: str = "atomic"
    list_keys: tuple[str, ...] = ()
    list_defaults: Mapping[str, Any] = field(default_factory=dict)
    map_type: str = "granular"
    patch_key: str = ""
    patch_merge: bool = False
    patch_retain_keys: bool = False
    format: str = ""
    enum: tuple[Any, ...] | None = None
    default: Any = ABSENT
    bounds: Bounds = NO_BOUNDS
    all_of: tuple["Node", ...] = ()
    any_of: tuple["Node", ...] = ()
    one_of: tuple["Node", ...] = ()
    negated: "Node | None" = None
    rules: tuple[Json, ...] = ()
    model: tuple[str, str] | None = None

    def sub(self, name: str) -> "Node | None":
        """Return the schema of a field or of a map's value, if this object may have it."""
        return self.properties.get(name) or self.additional


ANYTHING = Node(preserve=True, nullable=True)

_BOUND_NAMES = {
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "pattern": "pattern",
    "minItems": "min_items",
    "maxItems": "max_items",
    "uniqueItems": "unique_items",
    "minProperties": "min_properties",
    "maxProperties": "max_properties",
}


def parse(schema: Json) -> Node:
    """Parse an OpenAPI v3 schema as custom resource definitions carry it."""
    items = _parse_optional(schema.get("items"))
    keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
    return Node(
        type=schema.get("type", ""),
        properties={name: parse(sub) for name, sub in (schema.get("properties") or {}).items()},
        additional=_parse_additional(schema.get("additionalProperties")),
        items=items,
        required=tuple(schema.get("required") or ()),
        nullable=bool(schema.get("nullable")),
        int_or_string=bool(schema.get("x-kubernetes-int-or-string")),
        preserve=bool(schema.get("x-kubernetes-preserve-unknown-fields")),
        embedded=bool(schema.get("x-kubernetes-embedded-resource")),
        list_type=schema.get("x-kubernetes-list-type") or "atomic",
        list_keys=keys,
        list_defaults=_key_defaults(items, keys),
        map_type=schema.get("x-kubernetes-map-type") or "granular",
        format=schema.get("format", ""),
        enum=tuple(schema["enum"]) if schema.get("enum") else None,
        default=schema.get("default", ABSENT),
        bounds=_parse_bounds(schema),
        all_of=_parse_all(schema.get("allOf")),
        any_of=_parse_all(schema.get("anyOf")),
        one_of=_parse_all(schema.get("oneOf")),
        negated=_parse_optional(schema.get("not")),
        rules=tuple(schema.get("x-kubernetes-validations") or ()),
    )


def _parse_additional(schema: Any) -> Node | None:
    if isinstance(schema, dict):
        return parse(schema)
    return ANYTHING if schema else None


def _parse_optional(schema: Any) -> Node | None:
    return parse(schema) if isinstance(schema, dict) else None


def _parse_all(schemas: Any) -> tuple[Node, ...]:
    return tuple(parse(schema) for schema in schemas or ())


def _key_defaults(items: Node | None, keys: tuple[str, ...]) -> Json:
    known = items.properties if items else {}
    return {key: known[key].default for key in keys if key in known and known[key].default is not ABSENT}


def _parse_bounds(schema: Json) -> Bounds:
    given = {ours: schema[theirs] for theirs, ours in _BOUND_NAMES.items() if schema.get(theirs) is not None}
    return Bounds(**given) if given else NO_BOUNDS
