"""The CEL functions of Kubernetes on strings: cel-go's string extension (version 2) and regular expressions.

Source: https://kubernetes.io/docs/reference/using-api/cel/ and github.com/google/cel-go/ext/strings.go.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cel_expr_python import cel

from kubeslice.lab.apiserver.schema.cel.overloads import declare, method, single

_STRING, _INT, _LIST = cel.Type.STRING, cel.Type.INT, cel.Type.LIST
_STRINGS = cel.Type.List(cel.Type.STRING)
_VERB = re.compile(r"%(?:\.(\d+))?([a-zA-Z%])")
_UPPER_TO_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_LOWER_TO_UPPER = {lower: upper for upper, lower in _UPPER_TO_LOWER.items()}


@lru_cache(maxsize=256)
def _regex(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.ASCII)
    except re.error as error:
        raise ValueError(f"Illegal regex: {error}") from error


def _find(text: str, pattern: str) -> str:
    match = _regex(pattern).search(text)
    return match[0] if match else ""


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    found = [match[0] for match in _regex(pattern).finditer(text)]
    return found if limit < 0 else found[:limit]


def _checked_index(text: str, index: int) -> int:
    if not 0 <= index <= len(text):
        raise ValueError(f"index out of range: {index}")
    return index


def _char_at(text: str, index: int) -> str:
    return text[_checked_index(text, index) : index + 1]


def _substring(text: str, start: int, end: int | None = None) -> str:
    last = len(text) if end is None else _checked_index(text, end)
    if _checked_index(text, start) > last:
        raise ValueError(f"invalid substring range. start: {start}, end: {last}")
    return text[start:last]


def _index_of(text: str, part: str, offset: int = 0) -> int:
    return text.find(part, _checked_index(text, offset))


def _last_index_of(text: str, part: str, offset: int | None = None) -> int:
    end = len(text) if offset is None else _checked_index(text, offset)
    return text.rfind(part, 0, end + len(part))


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if not separator:
        return list(text) if limit < 0 else [*text[: limit - 1], *([text[limit - 1 :]] if text[limit - 1 :] else [])]
    return text.split(separator, limit - 1 if limit > 0 else -1)


def _replace(text: str, old: str, new: str, limit: int = -1) -> str:
    return text.replace(old, new, limit)


def _join(parts: list[Any], separator: str = "") -> str:
    if not all(isinstance(part, str) for part in parts):
        raise ValueError("no such overload")
    return separator.join(parts)


def _format(template: str, arguments: list[Any]) -> str:
    given = iter(arguments)

    def written(match: re.Match[str]) -> str:
        if match[2] == "%":
            return "%"
        try:
            return _formatted(match[2], int(match[1] or 6), next(given))
        except StopIteration as error:
            raise ValueError(f"index {len(arguments)} out of range") from error

    return _VERB.sub(written, template)


def _formatted(verb: str, precision: int, value: Any) -> str:
    if verb == "s":
        return _shown(value)
    if verb in "dboxX" and isinstance(value, int) and not (isinstance(value, bool) and verb != "b"):
        return format(int(value), verb)
    if verb in "fe" and isinstance(value, int | float):
        return format(float(value), f".{precision}{verb}")
    if verb in "xX" and isinstance(value, str | bytes):
        raw = value.encode() if isinstance(value, str) else bytes(value)
        return raw.hex() if verb == "x" else raw.hex().upper()
    raise ValueError(f"error during formatting: %{verb} does not accept {type(value).__name__}")


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_shown(name)}: {_shown(each)}" for name, each in sorted(value.items())) + "}"
    return _shown_scalar(value)


def _shown_scalar(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}s"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.decode() if isinstance(value, bytes | bytearray) else str(value)


def declarations() -> Iterable[Any]:
    """Return the declarations of these functions, with what they do."""
    yield single(method, "charAt", _STRING, [_STRING, _INT], _char_at)
    yield single(method, "lowerAscii", _STRING, [_STRING], lambda text: text.translate(_UPPER_TO_LOWER))
    yield single(method, "upperAscii", _STRING, [_STRING], lambda text: text.translate(_LOWER_TO_UPPER))
    yield single(method, "trim", _STRING, [_STRING], str.strip)
    yield single(method, "find", _STRING, [_STRING, _STRING], _find)
    yield _optional_last("findAll", _STRINGS, [_STRING, _STRING], _find_all, _INT)
    yield _optional_last("substring", _STRING, [_STRING, _INT], _substring, _INT)
    yield _optional_last("split", _STRINGS, [_STRING, _STRING], _split, _INT)
    yield _optional_last("replace", _STRING, [_STRING, _STRING, _STRING], _replace, _INT)
    yield _optional_last("join", _STRING, [_LIST], _join, _STRING)
    yield single(method, "format", _STRING, [_STRING, _LIST], _format)


def index_overloads() -> tuple[list[Any], list[Any]]:
    """Return the overloads of `indexOf` and `lastIndexOf` on strings; lists have some, too."""
    return (
        [
            method("indexOf", _INT, [_STRING, _STRING], _index_of),
            method("indexOf", _INT, [_STRING, _STRING, _INT], _index_of),
        ],
        [
            method("lastIndexOf", _INT, [_STRING, _STRING], _last_index_of),
            method("lastIndexOf", _INT, [_STRING, _STRING, _INT], _last_index_of),
        ],
    )


def _optional_last(name: str, returns: Any, parameters: list[Any], run: Any, last: Any) -> Any:
    return declare(name, method(name, returns, parameters, run), method(name, returns, [*parameters, last], run))
