"""nftables tables as values: what a table holds, and the commands that turn what the kernel has into it.

Every rule carries the digest of its table's rules as its comment, so that the kernel itself says whether the rules are
ours and complete. While they are, only set elements change; otherwise the table is replaced in one transaction.
`linux.nftables` reads and applies; `plan.datapath.filters` says which tables there are.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kubeslice.model.names import NFT_TABLE

Json = dict[str, Any]
Element = tuple[str, ...]
Expression = tuple[Json, ...]


@dataclass(frozen=True)
class Group:
    """A named set: the types of the parts of an element (libnftables-json(5)), and the elements."""

    name: str
    types: tuple[str, ...]
    elements: frozenset[Element]


@dataclass(frozen=True)
class Chain:
    """A base chain and its rules in order."""

    name: str
    hook: str
    priority: int
    policy: str
    rules: tuple[Expression, ...]


@dataclass(frozen=True)
class Table:
    """One table of ours: its name is the same in every namespace."""

    family: str
    groups: tuple[Group, ...]
    chains: tuple[Chain, ...]

    @property
    def digest(self) -> str:
        """Return what identifies everything but the elements."""
        shape = [[(group.name, group.types) for group in self.groups], [_shape(chain) for chain in self.chains]]
        return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def marks(self) -> tuple[str, ...]:
        """Return the comments that the kernel must list, one per rule."""
        return tuple(self.digest for chain in self.chains for _ in chain.rules)


@dataclass(frozen=True)
class SeenTable:
    """What the kernel has: the comments of all rules and the elements of all sets."""

    marks: tuple[str, ...]
    elements: Mapping[str, frozenset[Element]]


def update(seen: SeenTable | None, wanted: Table) -> list[Json]:
    """Return the nftables commands that make the kernel's table the wanted one, in one transaction."""
    if seen is None or seen.marks != wanted.marks or seen.elements.keys() != {group.name for group in wanted.groups}:
        return replacement(wanted)
    commands: list[Json] = []
    for group in wanted.groups:
        has = seen.elements[group.name]
        commands += elements("add", wanted.family, group.name, group.elements - has)
        commands += elements("delete", wanted.family, group.name, has - group.elements)
    return commands


def replacement(table: Table) -> list[Json]:
    """Return the commands that put the whole table in the place of whatever is there."""
    own = {"family": table.family, "name": NFT_TABLE}
    commands: list[Json] = [{"add": {"table": own}}, {"delete": {"table": own}}, {"add": {"table": own}}]
    inside = {"family": table.family, "table": NFT_TABLE}
    for group in table.groups:
        kind = group.types[0] if len(group.types) == 1 else list(group.types)
        commands.append({"add": {"set": {**inside, "name": group.name, "type": kind}}})
        commands += elements("add", table.family, group.name, group.elements)
    for chain in table.chains:
        base = {"name": chain.name, "type": "filter", "hook": chain.hook, "prio": chain.priority}
        commands.append({"add": {"chain": {**inside, **base, "policy": chain.policy}}})
        for rule in chain.rules:
            body = {**inside, "chain": chain.name, "comment": table.digest, "expr": list(rule)}
            commands.append({"add": {"rule": body}})
    return commands


def elements(verb: str, family: str, group: str, members: Iterable[Element]) -> list[Json]:
    """Return the command that adds or deletes elements of a set, none when there are none."""
    items = [member[0] if len(member) == 1 else {"concat": list(member)} for member in sorted(members)]
    if not items:
        return []
    return [{verb: {"element": {"family": family, "table": NFT_TABLE, "name": group, "elem": items}}}]


def _shape(chain: Chain) -> list[Any]:
    return [chain.name, chain.hook, chain.priority, chain.policy, chain.rules]
