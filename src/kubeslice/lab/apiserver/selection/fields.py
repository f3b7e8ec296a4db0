"""Field selectors (`metadata.name=x,status.phase!=Running`); pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_SPLIT = re.compile(r"(?<!\\),")
_TERM = re.compile(r"(.*?)(==|!=|=)(.*)", re.DOTALL)


class FieldSelectorError(ValueError):
    """The selector cannot be parsed."""


@dataclass(frozen=True, slots=True)
class FieldRequirement:
    """One field must, or must not, have a value."""

    field: str
    value: str
    equal: bool


def parse(text: str) -> list[FieldRequirement]:
    """Parse a selector into requirements that must all hold."""
    return [_term(term) for term in _SPLIT.split(text) if term]


def _term(term: str) -> FieldRequirement:
    match = _TERM.fullmatch(term)
    if match is None:
        raise FieldSelectorError(f"invalid selector: '{term}'; can't understand '{term}'")
    value = re.sub(r"\\([\\,=])", r"\1", match.group(3))
    return FieldRequirement(match.group(1), value, match.group(2) != "!=")


def matches(requirements: list[FieldRequirement], values: Mapping[str, str]) -> bool:
    """Whether field values fulfil all requirements; an absent field is an empty one."""
    return all((values.get(one.field, "") == one.value) == one.equal for one in requirements)
