"""The table of `fields.txt`: the number, name and type of every protobuf field of the built-in kinds.

A line is a message and its fields: `name=number:type`, `^` for an embedded message whose fields are the owner's. Types:
`s` text, `i` integer, `b` boolean, `d` double, `y` bytes, `[]` before the type of a list, `{}` before that of a map's
values, a word for encodings of their own, else a message; a `?` behind says that absent and zero are not the same.
Written by `scripts/protobuf-fields`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message; `shape` is `[]`, `{}` or empty."""

    name: str
    type: str
    shape: str
    optional: bool


@cache
def _lines() -> Mapping[str, str]:
    text = resources.files(__package__).joinpath("fields.txt").read_text()
    return dict((line + " ").split(" ", 1) for line in text.splitlines())


@cache
def fields_of(message: str) -> Mapping[int, Field] | None:
    """Return the fields of a message by number; None where there is no such message."""
    line = _lines().get(message)
    return None if line is None else dict(_field(word) for word in line.split())


def _field(word: str) -> tuple[int, Field]:
    name, _, rest = word.rpartition("=")
    number, _, kind = rest.partition(":")
    optional = kind.endswith("?")
    kind = kind.removesuffix("?")
    shape = kind[:2] if kind[:2] in ("[]", "{}") else ""
    return int(number), Field(name, kind.removeprefix(shape), shape, optional)
