"""JSON values as CEL sees them through their schema: numbers are doubles, dates are timestamps, names are escaped.

Fields that the schema does not describe do not exist for CEL.
Source: k8s.io/apiserver/pkg/cel/common/values.go and cel.Escape.
"""

import base64
import re
from functools import cache
from typing import Any

from kubeslice.lab.apiserver.schema.node import Node

_RESERVED = frozenset(
    [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
_ESCAPES = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))
_ESCAPABLE = re.compile(r"^[a-zA-Z_][a-zA-Z0-9_./-]*$")


def escape(name: str) -> str | None:
    """Return the CEL identifier of a field, or None where it can have none."""
    if name in _RESERVED:
        return f"__{name}__"
    if not _ESCAPABLE.match(name):
        return None
    for raw, escaped in _ESCAPES:
        name = name.replace(raw, escaped)
    return name


_escaped = cache(escape)


def term(node: Node, value: Any, *, whole: bool = False) -> Any:
    """Return the CEL value of a JSON value; `whole` for objects with apiVersion, kind and metadata."""
    if value is None:
        return None
    if isinstance(value, dict):
        return _object(node, value, whole=whole or node.embedded)
    if isinstance(value, list):
        items = node.items
        return value if items is None or _is_plain(items) else [term(items, item) for item in value]
    return value if _is_plain(node) else _scalar(node, value)


def _is_plain(node: Node) -> bool:
    if node.type == "string":
        return node.format not in ("byte", "date", "date-time", "datetime", "duration")
    return node.type in ("boolean", "integer") or node.int_or_string


def _object(node: Node, value: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    if node.additional is not None and not node.properties:
        extra = node.additional
        return value if _is_plain(extra) else {name: term(extra, each) for name, each in value.items()}
    seen: dict[str, Any] = {}
    for name, each in value.items():
        sub = node.properties.get(name)
        identifier = _escaped(name)
        if sub is not None and identifier is not None and (each is not None or sub.nullable) and _is_described(sub):
            seen[identifier] = term(sub, each)
    if whole:
        metadata = value.get("metadata") or {}
        seen["apiVersion"], seen["kind"] = value.get("apiVersion", ""), value.get("kind", "")
        seen["metadata"] = {name: metadata[name] for name in ("name", "generateName") if name in metadata}
    return seen


def _is_described(node: Node) -> bool:
    return bool(node.type) or node.int_or_string or node.embedded


def _scalar(node: Node, value: Any) -> Any:
    if node.type == "number":
        return float(value)
    if node.type == "string" and isinstance(value, str):
        return _text(node.format, value)
    return value


def _text(form: str, value: str) -> Any:
    if form == "byte":
        return base64.b64decode(value)
    if form == "duration":
        return _duration(value)
    return _timestamp(value if form != "date" else f"{value}T00:00:00Z")


def _timestamp(value: str) -> Any:
    from google.protobuf.timestamp_pb2 import Timestamp  # noqa: PLC0415 - rare and heavy

    moment = Timestamp()
    moment.FromJsonString(value.upper())
    return moment


def _duration(value: str) -> Any:
    from google.protobuf.duration_pb2 import Duration  # noqa: PLC0415 - rare and heavy

    units = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
    amounts = re.findall(r"(\d+(?:\.\d*)?|\.\d+)\s*(ns|us|µs|ms|[smhdw])", value)
    seconds = sum(float(number) * units[unit] for number, unit in amounts)
    span = Duration()
    span.FromNanoseconds(round(seconds * 1e9) * (-1 if value.startswith("-") else 1))
    return span


def type_of(node: Node) -> str:
    """Return the CEL type of a node's values, `dyn` where the engine should not know more.

    Numbers are `dyn`: Kubernetes compares them with integers, which the engine's checker does not allow.
    """
    if node.nullable or node.int_or_string:
        return "dyn"
    if node.type == "string":
        by_format = {"byte": "bytes", "duration": "duration", "date": "timestamp"}
        return by_format.get(node.format, "timestamp" if node.format in ("date-time", "datetime") else "string")
    kinds = {"boolean": "bool", "integer": "int", "array": "list"}
    return kinds.get(node.type, "map" if node.additional is not None and not node.properties else "dyn")
