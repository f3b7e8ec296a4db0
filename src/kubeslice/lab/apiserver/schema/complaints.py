"""Field errors in the words of kube-apiserver; every validator of this package makes its errors here.

Source: k8s.io/apimachinery/pkg/util/validation/field.
"""

import json
from collections.abc import Iterable
from typing import Any

from kubeslice.lab.apiserver.interfaces import FieldError


def child(path: str, name: str) -> str:
    """Extend a field path by a field name."""
    return f"{path}.{name}" if path else name


def key(path: str, name: str) -> str:
    """Extend a field path by a key of a map."""
    return f"{path}[{name}]"


def quote(text: str) -> str:
    """Quote a string as Go does."""
    return json.dumps(text, ensure_ascii=False)


def shown(value: Any) -> str:
    """Write a refused value as messages show it."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)


def _detailed(title: str, detail: str) -> str:
    return f"{title}: {detail}" if detail else title


def invalid(path: str, value: Any, detail: str) -> FieldError:
    """Refuse a value that breaks a rule."""
    return FieldError(path, "FieldValueInvalid", _detailed(f"Invalid value: {shown(value)}", detail), value)


def type_invalid(path: str, value: Any, detail: str) -> FieldError:
    """Refuse a value of the wrong type."""
    return FieldError(path, "FieldValueTypeInvalid", _detailed(f"Invalid value: {shown(value)}", detail), value)


def required(path: str, detail: str = "") -> FieldError:
    """Ask for a field that is absent or empty."""
    return FieldError(path, "FieldValueRequired", _detailed("Required value", detail), "")


def duplicate(path: str, value: Any) -> FieldError:
    """Refuse a value that must be unique and is not."""
    return FieldError(path, "FieldValueDuplicate", f"Duplicate value: {shown(value)}", value)


def not_supported(path: str, value: Any, supported: Iterable[str]) -> FieldError:
    """Refuse a value outside an enumeration."""
    listed = ", ".join(quote(each) for each in supported)
    detail = f"supported values: {listed}" if listed else ""
    return FieldError(path, "FieldValueNotSupported", _detailed(f"Unsupported value: {shown(value)}", detail), value)


def not_found(path: str, value: Any) -> FieldError:
    """Refuse a reference to something that does not exist."""
    return FieldError(path, "FieldValueNotFound", f"Not found: {shown(value)}", value)


def forbidden(path: str, detail: str) -> FieldError:
    """Refuse a value that would be right in other circumstances."""
    return FieldError(path, "FieldValueForbidden", _detailed("Forbidden", detail), "")


def too_long(path: str, limit: int) -> FieldError:
    """Refuse a string or a map of more than `limit` bytes."""
    unit = "byte" if limit == 1 else "bytes"
    return FieldError(path, "FieldValueTooLong", f"Too long: may not be more than {limit} {unit}", "")


def too_many(path: str, actual: int, limit: int) -> FieldError:
    """Refuse a list or map of more than `limit` items."""
    unit = "item" if limit == 1 else "items"
    return FieldError(path, "FieldValueTooMany", f"Too many: {actual}: must have at most {limit} {unit}", actual)


IMMUTABLE = "field is immutable"


def immutable(path: str, new: Any, old: Any) -> list[FieldError]:
    """Refuse the change of a field that may not change."""
    return [] if new == old else [invalid(path, new, IMMUTABLE)]
