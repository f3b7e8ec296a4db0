"""One thing that is wrong with an object, and checks of names that every kind needs. Used by the check modules."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from kubeslice.model.errors import Terminal

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
MAX_LABEL_LENGTH = 63
LISTED = 10


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong: the field, a sentence with the value and the remedy, and the reason of a condition."""

    field: str
    sentence: str
    reason: str = "InvalidSpec"

    def __str__(self) -> str:
        return f"{self.field}: {self.sentence}"

    @classmethod
    def of(cls, field: str, refusal: Terminal) -> Self:
        """Return a refusal as a problem of `field`."""
        return cls(field, str(refusal), refusal.reason)


def refuse(problems: Sequence[Problem]) -> None:
    """Raise `Terminal` with all sentences and the first reason, if there are any problems."""
    if problems:
        raise Terminal("; ".join(str(problem) for problem in problems), reason=problems[0].reason)


def name_problems(field: str, name: str, what: str, longest: int = MAX_LABEL_LENGTH) -> Iterator[Problem]:
    """Check a name that others are made of: a DNS label of limited length."""
    if len(name) > longest:
        yield Problem(
            field,
            f"{name!r} has {len(name)} characters, names of other objects are made of it: "
            f"choose a name of at most {longest} for the {what}",
            reason="NameTooLong",
        )
    elif not is_label(name):
        yield Problem(
            field,
            f"{name!r} is not a DNS label: choose a name of lower-case letters, digits and '-' for the {what}",
            reason="InvalidName",
        )


def is_label(name: str) -> bool:
    """Tell whether a name is a DNS label (RFC 1123)."""
    return len(name) <= MAX_LABEL_LENGTH and _DNS_LABEL.fullmatch(name) is not None


def is_dns_name(name: str) -> bool:
    """Tell whether a name is made of DNS labels, at most 253 characters; upper case counts as lower."""
    return len(name) <= 253 and all(is_label(label) for label in name.lower().removesuffix(".").split("."))


def duplicates(values: Iterable[str]) -> list[str]:
    """Return what occurs more than once, in the order of its second occurrence."""
    seen: set[str] = set()
    twice: dict[str, None] = {}
    for value in values:
        if value in seen:
            twice[value] = None
        seen.add(value)
    return list(twice)


def listing(found: Iterable[str]) -> str:
    """Return names for a sentence, the first ones when there are many."""
    shown = list(dict.fromkeys(found))
    if len(shown) <= LISTED:
        return ", ".join(shown)
    return f"{', '.join(shown[:LISTED])} and {len(shown) - LISTED} more"
