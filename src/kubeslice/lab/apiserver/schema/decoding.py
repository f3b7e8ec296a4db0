"""Objects of built-in kinds decoded as the Go types do it: wrong types are refused, unknown fields are dropped.

Nulls and empty optional lists and maps vanish, because their Go fields are `omitempty`.
Source: sigs.k8s.io/json and the UnmarshalJSON methods of Quantity, Time and IntOrString.
"""

import re
from typing import Any

from kubeslice.lab.apiserver.schema import formats
from kubeslice.lab.apiserver.schema.complaints import child, quote
from kubeslice.lab.apiserver.schema.node import Node

_QUANTITY = re.compile(r"^[+-]?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$")
_QUANTITY_MESSAGE = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_INT_LIMITS = {"int32": 2**31, "int64": 2**63}


class DecodeError(Exception):
    """A value does not fit its Go type; carries the sentence of Go's JSON decoder."""


def decode(node: Node, value: Any, path: str = "", owner: str = "") -> Any:
    """Return `value` as its Go type would render it again. Raises `DecodeError`."""
    if node.int_or_string:
        return _decode_quantity(value) if node.format == "quantity" else _decode_int_or_string(value, path, owner)
    if node.type == "object":
        return _decode_object(node, _expect(dict, value, node, path, owner), path, owner)
    if node.type == "array":
        items = _expect(list, value, node, path, owner)
        return [decode(node.items, item, path, owner) for item in items] if node.items is not None else items
    if node.type:
        return _decode_scalar(node, value, path, owner)
    return value


def _decode_object(node: Node, value: dict[str, Any], path: str, owner: str) -> dict[str, Any]:
    if node.preserve and not node.properties:
        return value
    if node.additional is not None:
        return {name: decode(node.additional, each, path, owner) for name, each in value.items() if each is not None}
    within = node.model[1] if node.model else owner
    decoded: dict[str, Any] = {}
    for name, sub in node.properties.items():
        if value.get(name) is not None:
            field_value = decode(sub, value[name], child(path, name), within)
            if field_value or not _vanishes_when_empty(sub) or name in node.required:
                decoded[name] = field_value
    return {name: decoded[name] for name in value if name in decoded}


def _vanishes_when_empty(node: Node) -> bool:
    return node.type == "array" or (node.type == "object" and node.additional is not None)


def _decode_scalar(node: Node, value: Any, path: str, owner: str) -> Any:
    if node.type == "string":
        text = _expect(str, value, node, path, owner)
        _check_text(node, text)
        return text
    if node.type == "boolean":
        return _expect(bool, value, node, path, owner)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _mismatch(_json_name(value), node, path, owner)
    if node.type == "number":
        return value
    if isinstance(value, float) and not value.is_integer():
        raise _mismatch(f"number {value:g}", node, path, owner)
    limit = _INT_LIMITS.get(node.format, 2**63)
    if not -limit <= value < limit:
        raise _mismatch(f"number {int(value)}", node, path, owner)
    return int(value)


def _check_text(node: Node, text: str) -> None:
    if node.format == "date-time" and not formats.is_date_time(text):
        raise DecodeError(
            f'parsing time {quote(text)} as "2006-01-02T15:04:05Z07:00": cannot parse {quote(text)} as "2006"'
        )
    if node.format == "byte" and not formats.is_byte(text):
        raise DecodeError("illegal base64 data at input byte 0")


def _decode_quantity(value: Any) -> str:
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _QUANTITY.match(text):
        raise DecodeError(_QUANTITY_MESSAGE)
    return text


def _decode_int_or_string(value: Any, path: str, owner: str) -> int | str:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise DecodeError(f"json: cannot unmarshal {_json_name(value)} into Go struct field {owner}.{path} of type int32")


def _expect(kind: type, value: Any, node: Node, path: str, owner: str) -> Any:
    if isinstance(value, kind):
        return value
    raise _mismatch(_json_name(value), node, path, owner)


def _mismatch(what: str, node: Node, path: str, owner: str) -> DecodeError:
    return DecodeError(
        f"json: cannot unmarshal {what} into Go struct field {owner}.{path} of type {_go_type(node)}"
        if path
        else f"json: cannot unmarshal {what} into Go value of type {_go_type(node)}"
    )


def _json_name(value: Any) -> str:
    for kind, name in ((bool, "bool"), (int | float, "number"), (str, "string"), (list, "array"), (dict, "object")):
        if isinstance(value, kind):
            return name
    return "null"


def _go_type(node: Node) -> str:
    if node.type == "array":
        return f"[]{_go_type(node.items)}" if node.items is not None else "[]interface {}"
    if node.type == "object":
        if node.model:
            return f"{node.model[0].rpartition('_')[2]}.{node.model[1]}"
        return f"map[string]{_go_type(node.additional)}" if node.additional is not None else "map[string]interface {}"
    if node.format == "date-time":
        return "v1.Time"
    return {"boolean": "bool", "number": "float64", "integer": node.format or "int64"}.get(node.type, "string")
