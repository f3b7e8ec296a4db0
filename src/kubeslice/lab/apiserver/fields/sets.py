"""Sets of field paths in the form of FieldsV1 itself, and their algebra; ownership and apply are computed with these.

A set is a trie: `{"f:spec": {"f:replicas": {}, "f:template": {".": {}}}}`. A path is a member when its node is empty or
has the key `.`. Elements are `f:<field>`, `k:<JSON of the key fields>`, `v:<JSON of the value>` and `i:<index>`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

FieldSet = dict[str, Any]


def is_member(node: FieldSet) -> bool:
    """Whether the path of a node is in the set, beside what lies below it."""
    return not node or "." in node


def insert(target: FieldSet, path: tuple[str, ...]) -> None:
    """Add one path to a set, in place."""
    node = target
    for index, element in enumerate(path):
        child = node.get(element)
        if child is None:
            child = node[element] = {}
        elif not child and index < len(path) - 1:
            child["."] = {}
        node = child
    if node:
        node["."] = {}


def union(left: FieldSet, right: FieldSet) -> FieldSet:
    """Return the paths that are in either set."""
    if not left or not right:
        return left or right
    result = dict(left)
    for element, theirs in right.items():
        ours = result.get(element)
        result[element] = theirs if ours is None else _join(ours, theirs)
    return result


def _join(left: FieldSet, right: FieldSet) -> FieldSet:
    if not left and not right:
        return {}
    return union(left or {".": {}}, right or {".": {}})


def intersection(left: FieldSet, right: FieldSet) -> FieldSet:
    """Return the paths that are in both sets."""
    result: FieldSet = {}
    for element, ours in left.items():
        theirs = right.get(element)
        if theirs is not None and element != ".":
            _keep(result, element, intersection(ours, theirs), member=is_member(ours) and is_member(theirs))
    return result


def difference(left: FieldSet, right: FieldSet) -> FieldSet:
    """Return the paths of `left` that are not in `right`; what lies below a removed path stays."""
    if not right:
        return left
    result: FieldSet = {}
    for element, ours in left.items():
        if element == ".":
            continue
        theirs = right.get(element)
        if theirs is None:
            result[element] = ours
        else:
            _keep(result, element, difference(ours, theirs), member=is_member(ours) and not is_member(theirs))
    return result


def without_subtrees(left: FieldSet, right: FieldSet) -> FieldSet:
    """Return the paths of `left` that are neither in `right` nor below a path in it."""
    result: FieldSet = {}
    for element, ours in left.items():
        theirs = right.get(element)
        if element == "." or theirs is None:
            result[element] = ours
        elif not is_member(theirs):
            _keep(result, element, without_subtrees(ours, theirs), member=is_member(ours))
    if set(result) == {"."}:
        return {}
    return result


def _keep(result: FieldSet, element: str, below: FieldSet, *, member: bool) -> None:
    below = {name: node for name, node in below.items() if name != "."}
    if member and below:
        below["."] = {}
    if member or below:
        result[element] = below


def with_parents(fields: FieldSet) -> FieldSet:
    """Return the set with every field that has members below it made a member too."""
    result: FieldSet = {}
    for element, node in fields.items():
        if element == ".":
            result["."] = {}
        else:
            below = with_parents(node)
            if below and element.startswith("f:"):
                below["."] = {}
            result[element] = below
    return result


def paths(fields: FieldSet, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Walk the members of a set in order."""
    for element in sorted(fields):
        if element == ".":
            continue
        node = fields[element]
        path = (*prefix, element)
        if is_member(node):
            yield path
        yield from paths(node, path)


def sentence(path: tuple[str, ...]) -> str:
    """Write a path as messages do: `.spec.containers[name="web"].image`."""
    return "".join(_written(element) for element in path)


def _written(element: str) -> str:
    kind, text = element[0], element[2:]
    if kind == "f":
        return f".{text}"
    if kind == "k":
        return f"[{_pairs(text)}]"
    return f"[={text}]" if kind == "v" else f"[{text}]"


def _pairs(text: str) -> str:
    keys: Mapping[str, Any] = orjson.loads(text)
    return ",".join(f"{name}={orjson.dumps(value).decode()}" for name, value in sorted(keys.items()))
