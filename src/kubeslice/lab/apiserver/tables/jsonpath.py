"""The simple JSON paths of printer columns, scale subresources and selectable fields; compiled once, pure."""

import re
from collections.abc import Callable, Iterator
from typing import Any

Finder = Callable[[Any], Any]
_Step = Callable[[Any], Iterator[Any]]

_PART = re.compile(
    r"""\.?(?P<name>[A-Za-z0-9_\-/]+(?:\\\.[A-Za-z0-9_\-/]+)*)
      | \[(?P<index>-?\d+)\] | \.?\[?(?P<all>\*)\]?
      | \[['"](?P<key>[^'"]+)['"]\]
      | \[\?\(\s*@\.(?P<field>[A-Za-z0-9_.\-]+)\s*==\s*(?P<value>"[^"]*"|'[^']*'|[^)\s]+)\s*\)\]""",
    re.VERBOSE,
)


def finder(expression: str) -> Finder:
    """Return a function that finds the first value of a path, None where there is none."""
    steps = list(_steps(expression.strip().removeprefix("{").removesuffix("}").removeprefix("$")))

    def find(obj: Any) -> Any:
        values = [obj]
        for step in steps:
            values = [found for value in values for found in step(value)]
        return values[0] if values else None

    return find


def _steps(expression: str) -> Iterator[_Step]:
    position = 0
    while position < len(expression):
        match = _PART.match(expression, position)
        if match is None or match.end() == position:
            return
        position = match.end()
        yield _step(match)


def _step(match: re.Match[str]) -> _Step:
    if match["name"]:
        return _named(match["name"].replace("\\.", "."))
    if match["key"]:
        return _named(match["key"].replace("\\.", "."))
    if match["index"]:
        return _indexed(int(match["index"]))
    if match["all"]:
        return _every
    return _filtered(match["field"].split("."), match["value"].strip("\"'"))


def _named(name: str) -> _Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and value.get(name) is not None:
            yield value[name]

    return step


def _indexed(index: int) -> _Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _every(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        yield from value
    elif isinstance(value, dict):
        yield from value.values()


def _filtered(fields: list[str], wanted: str) -> _Step:
    def step(value: Any) -> Iterator[Any]:
        for item in value if isinstance(value, list) else ():
            found: Any = item
            for name in fields:
                found = found.get(name) if isinstance(found, dict) else None
            if _text(found) == wanted:
                yield item

    return step


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
