"""Values checked against a structural schema, with the messages of kube-apiserver's OpenAPI validator.

An update is ratcheted as in Kubernetes: what did not change since the stored object is not checked again.
Source: k8s.io/kube-openapi/pkg/validation/validate and KEP-4008.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from kubeslice.lab.apiserver.interfaces import FieldError
from kubeslice.lab.apiserver.schema import complaints, formats, lists
from kubeslice.lab.apiserver.schema.complaints import child
from kubeslice.lab.apiserver.schema.node import Node

_INT_RANGES = {"int32": 2**31, "int64": 2**63}


def check(node: Node, value: Any, path: str = "", old: Any = None) -> Iterator[FieldError]:
    """Yield what is wrong with `value`; parts equal to the same part of `old` (the stored value) are left alone."""
    if old is not None and old == value:
        return
    if value is None and node.nullable:
        return
    wrong_type = _type_error(node, value, path)
    if wrong_type is not None:
        yield wrong_type
        return
    yield from _check_combinations(node, value, path)
    if isinstance(value, str):
        yield from _check_string(node, value, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _check_number(node, value, path)
    elif isinstance(value, list):
        yield from _check_list(node, value, path, old if isinstance(old, list) else None)
    if node.enum is not None and not _is_one_of(value, node.enum):
        allowed = [each if isinstance(each, str) else complaints.shown(each) for each in node.enum]
        yield complaints.not_supported(path, value, allowed)
    if isinstance(value, dict):
        yield from _check_object(node, value, path, old if isinstance(old, dict) else None)


def type_name(value: Any) -> str:
    """Return the JSON type of a value, as messages name it."""
    if value is None:
        return "null"
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array")):
        if isinstance(value, kind):
            return name
    return "object"


def _type_error(node: Node, value: Any, path: str) -> FieldError | None:
    actual = type_name(value)
    if node.int_or_string:
        expected = "integer,string"
        is_right = actual in ("integer", "string")
    elif node.type:
        expected = node.type
        is_right = actual == expected or _is_number_of(expected, value)
    else:
        expected = ""
        is_right = value is not None or node.preserve
    if is_right:
        return None
    return complaints.type_invalid(path, actual, f'{path} in body must be of type {expected}: "{actual}"')


def _is_number_of(expected: str, value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if expected == "number":
        return isinstance(value, int)
    return expected == "integer" and isinstance(value, float) and value.is_integer()


def _is_one_of(value: Any, allowed: tuple[Any, ...]) -> bool:
    return any(value == each and isinstance(value, bool) == isinstance(each, bool) for each in allowed)


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.ASCII)


def _check_string(node: Node, value: str, path: str) -> Iterator[FieldError]:
    bounds = node.bounds
    if bounds.max_length is not None and len(value) > bounds.max_length:
        yield complaints.too_long(path, bounds.max_length)
    if bounds.min_length is not None and len(value) < bounds.min_length:
        yield _bad(path, value, f"should be at least {bounds.min_length} chars long")
    if bounds.pattern and not _pattern(bounds.pattern).search(value):
        yield _bad(path, value, f"should match '{bounds.pattern}'")
    if node.format and not node.int_or_string and not formats.is_valid(node.format, value):
        detail = f"{path} in body must be of type {node.format}: {complaints.quote(value)}"
        yield complaints.type_invalid(path, value, detail)


def _check_number(node: Node, value: float, path: str) -> Iterator[FieldError]:
    limit = _INT_RANGES.get(node.format)
    if limit is not None and not -limit <= value < limit:
        detail = f"Checked value must be of type {node.type} with format {node.format} in {path}"
        yield complaints.invalid("<nil>", "", detail)
    bounds = node.bounds
    if bounds.multiple_of is not None and (value / bounds.multiple_of) % 1:
        yield _bad(path, value, f"should be a multiple of {_plain(bounds.multiple_of)}")
    if bounds.maximum is not None:
        yield from _check_maximum(bounds.maximum, value, path, exclusive=bounds.exclusive_maximum)
    if bounds.minimum is not None:
        yield from _check_minimum(bounds.minimum, value, path, exclusive=bounds.exclusive_minimum)


def _check_maximum(limit: float, value: float, path: str, *, exclusive: bool) -> Iterator[FieldError]:
    if value > limit or (exclusive and value == limit):
        yield _bad(path, value, f"should be less than {'' if exclusive else 'or equal to '}{_plain(limit)}")


def _check_minimum(limit: float, value: float, path: str, *, exclusive: bool) -> Iterator[FieldError]:
    if value < limit or (exclusive and value == limit):
        yield _bad(path, value, f"should be greater than {'' if exclusive else 'or equal to '}{_plain(limit)}")


def _plain(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else str(number)


def _check_list(node: Node, value: list[Any], path: str, old: list[Any] | None) -> Iterator[FieldError]:
    bounds = node.bounds
    if bounds.max_items is not None and len(value) > bounds.max_items:
        yield complaints.too_many(path, len(value), bounds.max_items)
    if bounds.min_items is not None and len(value) < bounds.min_items:
        yield _bad(path, len(value), f"should have at least {bounds.min_items} items")
    if node.items is not None:
        for index, item in enumerate(value):
            yield from check(node.items, item, f"{path}[{index}]", lists.counterpart(node, item, old))


def _check_object(node: Node, value: dict[str, Any], path: str, old: dict[str, Any] | None) -> Iterator[FieldError]:
    bounds = node.bounds
    if bounds.max_properties is not None and len(value) > bounds.max_properties:
        yield complaints.too_many(path, len(value), bounds.max_properties)
    if bounds.min_properties is not None and len(value) < bounds.min_properties:
        yield _bad(path, len(value), f"should have at least {bounds.min_properties} properties")
    for name in node.required:
        if name not in value:
            yield complaints.required(child(path, name))
    before = old or {}
    for name, sub_value in value.items():
        sub = node.sub(name)
        if sub is not None:
            yield from check(sub, sub_value, child(path, name), before.get(name))


def _check_combinations(node: Node, value: Any, path: str) -> Iterator[FieldError]:
    for part in node.all_of:
        failures = list(check(part, value, path))
        if failures:
            yield _composite(path, "must validate all the schemas (allOf)")
            yield from failures
    if node.any_of:
        yield from _check_any(node, value, path)
    if node.one_of:
        yield from _check_one(node, value, path)
    if node.negated is not None and not any(check(node.negated, value, path)):
        yield _composite(path, "must not validate the schema (not)")


def _check_any(node: Node, value: Any, path: str) -> Iterator[FieldError]:
    attempts = [list(check(part, value, path)) for part in node.any_of]
    if all(attempts):
        yield _composite(path, "must validate at least one schema (anyOf)")
        yield from min(attempts, key=len)


def _check_one(node: Node, value: Any, path: str) -> Iterator[FieldError]:
    attempts = [list(check(part, value, path)) for part in node.one_of]
    passed = sum(not attempt for attempt in attempts)
    if passed == 0:
        yield _composite(path, "must validate one and only one schema (oneOf). Found none valid")
        yield from min(attempts, key=len)
    elif passed > 1:
        yield _composite(path, f"must validate one and only one schema (oneOf). Found {passed} valid alternatives")


def _composite(path: str, what: str) -> FieldError:
    return complaints.invalid("<nil>", "", f'"{path}" {what}')


def _bad(path: str, value: Any, what: str) -> FieldError:
    return complaints.invalid(path, value, f"{path} in body {what}")
