"""Whether a schema is structural: every value has a type, lists have items, defaults fit, rules compile.

Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/validation.go and pkg/apis/apiextensions/validation.
"""

import re
from collections.abc import Iterator
from typing import Any

from kubeslice.lab.apiserver.interfaces import FieldError, Object
from kubeslice.lab.apiserver.schema import pruning, values
from kubeslice.lab.apiserver.schema.complaints import child, forbidden, invalid, key, not_supported, required
from kubeslice.lab.apiserver.schema.node import parse

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_LIST_TYPES = ("atomic", "map", "set")
_MAP_TYPES = ("atomic", "granular")
_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_UNCHECKED = ("$ref", "definitions", "dependencies", "deprecated", "patternProperties", "id")
_ITEM_TEXT = "must not be empty for specified array items"
_FIELD_TEXT = "must not be empty for specified object fields"


def check_schema(schema: Object, path: str) -> Iterator[FieldError]:
    """Check the schema of a whole resource."""
    kind = schema.get("type")
    if not kind:
        yield required(child(path, "type"), "must not be empty at the root")
    elif kind != "object":
        yield invalid(child(path, "type"), kind, "must be object at the root")
    yield from _check(schema, path, is_root=True, correlates=True)


def _check(schema: Object, path: str, *, is_root: bool = False, correlates: bool) -> Iterator[FieldError]:
    yield from _check_words(schema, path)
    yield from _check_list(schema, path)
    yield from _check_default(schema, path)
    yield from _check_rules(schema, path, is_root=is_root, correlates=correlates)
    properties = schema.get("properties") or {}
    for name, sub in properties.items():
        where = key(child(path, "properties"), name)
        if not (is_root and name == "metadata"):
            yield from _check_typed(sub, where, _FIELD_TEXT)
        yield from _check(sub, where, correlates=correlates)
    additional = schema.get("additionalProperties")
    if isinstance(additional, dict):
        where = child(path, "additionalProperties")
        yield from _check_typed(additional, where, _FIELD_TEXT)
        yield from _check(additional, where, correlates=correlates)
    items = schema.get("items")
    if isinstance(items, dict):
        yield from _check_typed(items, child(path, "items"), _ITEM_TEXT)
        keeps = correlates and schema.get("x-kubernetes-list-type") == "map"
        yield from _check(items, child(path, "items"), correlates=keeps)


def _check_typed(schema: Object, path: str, message: str) -> Iterator[FieldError]:
    is_open = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    if not schema.get("type") and not is_open:
        yield required(child(path, "type"), message)


def _check_words(schema: Object, path: str) -> Iterator[FieldError]:
    kind = schema.get("type")
    if kind and kind not in _TYPES:
        yield not_supported(child(path, "type"), kind, _TYPES)
    if schema.get("x-kubernetes-int-or-string") and kind:
        yield invalid(child(path, "type"), kind, "must be empty if x-kubernetes-int-or-string is specified")
    if schema.get("uniqueItems"):
        why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden(child(path, "uniqueItems"), why)
    if schema.get("properties") and schema.get("additionalProperties") is not None:
        yield forbidden(child(path, "additionalProperties"), "additionalProperties and properties are mutual exclusive")
    if schema.get("additionalProperties") is False:
        yield forbidden(child(path, "additionalProperties"), "additionalProperties cannot be set to false")
    if kind == "array" and not isinstance(schema.get("items"), dict):
        yield required(child(path, "items"), "must be specified")
    for word in _UNCHECKED:
        if schema.get(word):
            yield forbidden(child(path, word), f"{word} is not supported")
    pattern = schema.get("pattern")
    if pattern and not _compiles(pattern):
        yield invalid(child(path, "pattern"), pattern, f"must be a valid regular expression, but isn't: {pattern}")


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _check_list(schema: Object, path: str) -> Iterator[FieldError]:
    kind, list_type = schema.get("type"), schema.get("x-kubernetes-list-type")
    map_type = schema.get("x-kubernetes-map-type")
    keys = schema.get("x-kubernetes-list-map-keys") or []
    where = child(path, "x-kubernetes-list-map-keys")
    if list_type and list_type not in _LIST_TYPES:
        yield not_supported(child(path, "x-kubernetes-list-type"), list_type, _LIST_TYPES)
    if list_type and kind != "array":
        yield invalid(child(path, "type"), kind or "", "must be array if x-kubernetes-list-type is specified")
    if map_type and map_type not in _MAP_TYPES:
        yield not_supported(child(path, "x-kubernetes-map-type"), map_type, _MAP_TYPES)
    if map_type and kind != "object":
        yield invalid(child(path, "type"), kind or "", "must be object if x-kubernetes-map-type is specified")
    if list_type == "map" and not keys:
        yield required(where, "must not be empty if x-kubernetes-list-type is map")
    elif keys and list_type != "map":
        yield forbidden(where, "must be empty if x-kubernetes-list-type is not map")
    elif keys:
        yield from _check_keys(schema.get("items") or {}, keys, path)


def _check_keys(items: Object, keys: list[str], path: str) -> Iterator[FieldError]:
    properties = items.get("properties") or {}
    if items.get("type") != "object":
        yield invalid(
            f"{path}.items.type",
            items.get("type") or "",
            "must be object if parent array's x-kubernetes-list-type is map",
        )
    for index, name in enumerate(keys):
        known = properties.get(name)
        if known is None:
            yield invalid(
                f"{path}.x-kubernetes-list-map-keys[{index}]", name, "entries must all be names of item properties"
            )
        elif name not in (items.get("required") or []) and "default" not in known:
            why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            yield required(f"{path}.items.properties[{name}].default", why)


def _check_default(schema: Object, path: str) -> Iterator[FieldError]:
    if "default" not in schema:
        return
    node, default, where = parse(schema), schema["default"], child(path, "default")
    if pruning.prune(node, default) != default:
        yield invalid(where, default, "must not have unknown fields")
    for error in values.check(node, default, "default"):
        rest = error.path.removeprefix("default")
        yield FieldError(where + rest if error.path != "<nil>" else where, error.reason, error.message, error.bad_value)


def _check_rules(schema: Object, path: str, *, is_root: bool, correlates: bool) -> Iterator[FieldError]:
    rules = schema.get("x-kubernetes-validations") or []
    if not rules:
        return
    from kubeslice.lab.apiserver.schema.cel.program import CompileError  # noqa: PLC0415 - loads the engine
    from kubeslice.lab.apiserver.schema.cel.rules import check_rule, mentions_old  # noqa: PLC0415

    node = parse({**schema, "default": None})
    for index, rule in enumerate(rules):
        where = f"{path}.x-kubernetes-validations[{index}]"
        yield from _check_rule_words(rule, where)
        source = rule.get("rule") or ""
        if not source.strip():
            yield required(child(where, "rule"), "rule is not specified")
            continue
        if mentions_old(source) and not correlates:
            why = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {path}"
            yield invalid(child(where, "rule"), source, why)
        try:
            check_rule(node, rule, is_whole=is_root)
        except CompileError as error:
            field = "messageExpression" if str(error).startswith("messageExpression") else "rule"
            yield invalid(child(where, field), _shown(rule), str(error))


def _shown(rule: Object) -> dict[str, Any]:
    return {name: rule[name] for name in ("rule", "message", "messageExpression") if name in rule}


def _check_rule_words(rule: Object, path: str) -> Iterator[FieldError]:
    reason = rule.get("reason")
    if reason is not None and reason not in _REASONS:
        yield not_supported(child(path, "reason"), reason, _REASONS)
    message = rule.get("message") or ""
    if "\n" in message:
        yield invalid(child(path, "message"), message, "message must not contain line breaks")
    elif "\n" in (rule.get("rule") or "").strip() and not message:
        yield required(child(path, "message"), "message must be specified if rule contains line breaks")
