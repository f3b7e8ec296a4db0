"""Which parts of an object CEL expressions look at, read from their text: only those need to be converted for them.

Used by policies, which are asked about every write. Where the text leaves a doubt, the whole counts as looked at.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

# Of each field of the object the fields in it, None for the whole field; None for the whole object.
Sight = Mapping[str, frozenset[str] | None] | None

NOTHING: Sight = {}

# `object` or `oldObject`, the fields that are selected from it, and whether the last of them is a method.
_MENTION = re.compile(r"(?<![\w.])(?:object|oldObject)\b((?:\s*\.\s*\??\s*[A-Za-z]\w*)*)\s*(\(?)")
_FIELD = re.compile(r"\w+")


def of(sources: Iterable[str]) -> Sight:
    """Return what expressions look at, of the object and of its old self together."""
    found = NOTHING
    for source in sources:
        for selected, is_called in _MENTION.findall(source):
            fields = _FIELD.findall(selected)
            found = union(found, _of_path(fields[:-1] if is_called else fields))
    return found


def union(one: Sight, other: Sight) -> Sight:
    """Return what either looks at."""
    if one is None or other is None:
        return None
    both = dict(one)
    for field, inner in other.items():
        known = both.get(field, frozenset())
        both[field] = None if known is None or inner is None else known | inner
    return both


def seen(obj: Mapping[str, Any] | None, sight: Sight) -> Mapping[str, Any] | None:
    """Return of an object what is looked at."""
    if obj is None or sight is None:
        return obj
    return {field: _part(obj[field], inner) for field, inner in sight.items() if field in obj}


def _of_path(fields: list[str]) -> Sight:
    if not fields:
        return None
    return {fields[0]: frozenset(fields[1:2]) if len(fields) > 1 else None}


def _part(value: Any, inner: frozenset[str] | None) -> Any:
    if inner is None or not isinstance(value, dict):
        return value
    return {field: value[field] for field in inner if field in value}
