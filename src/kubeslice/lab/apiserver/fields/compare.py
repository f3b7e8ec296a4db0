"""Field sets of values: what a value consists of, and how one value differs from another.

Follows structured-merge-diff's `ToFieldSet` and `Compare`, because what they decide is visible in `managedFields`.
"""

from dataclasses import dataclass, field
from typing import Any

from kubeslice.lab.apiserver.fields.elements import list_elements
from kubeslice.lab.apiserver.fields.sets import FieldSet, insert
from kubeslice.lab.apiserver.fields.shapes import Shape

Path = tuple[str, ...]


def field_set(value: dict[str, Any], shape: Shape) -> FieldSet:
    """Return the paths that applying `value` claims."""
    result: FieldSet = {}
    _claim_fields(value, shape, (), result)
    return result


def _claim(value: Any, shape: Shape, path: Path, result: FieldSet) -> None:
    if isinstance(value, dict) and value and shape.here.kind != "atomic":
        _claim_fields(value, shape, path, result)
    elif isinstance(value, list) and shape.here.kind in ("set", "map"):
        for element, item in zip(list_elements(value, shape.here), value, strict=True):
            insert(result, (*path, element))
            if isinstance(item, dict) and item:
                _claim(item, shape.item, (*path, element), result)
    else:
        insert(result, path)


def _claim_fields(value: dict[str, Any], shape: Shape, path: Path, result: FieldSet) -> None:
    for name, child in value.items():
        below = (*path, "f:" + name)
        if isinstance(child, (dict, list)):
            _claim(child, shape.field(name), below, result)
        else:
            insert(result, below)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The paths that came, went and changed."""

    added: FieldSet = field(default_factory=dict)
    removed: FieldSet = field(default_factory=dict)
    modified: FieldSet = field(default_factory=dict)


def compare(old: dict[str, Any], new: dict[str, Any], shape: Shape) -> Comparison:
    """Compare two states of an object."""
    result = Comparison()
    _compare_fields(old, new, shape, (), result)
    return result


def _compare_fields(old: dict[str, Any], new: dict[str, Any], shape: Shape, path: Path, result: Comparison) -> None:
    for name, value in new.items():
        below = (*path, "f:" + name)
        if name in old:
            if old[name] != value:
                _compare_values(old[name], value, _below(shape, name, value, old[name]), below, result)
        else:
            _one_sided(value, _below(shape, name, value, None), below, result.added)
    for name, value in old.items():
        if name not in new:
            _one_sided(value, _below(shape, name, value, None), (*path, "f:" + name), result.removed)


def _below(shape: Shape, name: str, one: Any, other: Any) -> Shape | None:
    return shape.field(name) if isinstance(one, (dict, list)) or isinstance(other, (dict, list)) else None


def _compare_values(old: Any, new: Any, shape: Shape | None, path: Path, result: Comparison) -> None:
    kind = shape.here.kind if shape else "atomic"
    if shape and kind == "granular" and _are(dict, old, new):
        _compare_fields(old or {}, new or {}, shape, path, result)
    elif shape and kind in ("set", "map") and _are(list, old, new):
        _compare_items(old or [], new or [], shape, path, result)
    else:
        insert(result.modified, path)


def _are(kind: type, old: Any, new: Any) -> bool:
    return isinstance(old, (kind, type(None))) and isinstance(new, (kind, type(None))) and bool(old or new)


def _compare_items(old: list[Any], new: list[Any], shape: Shape, path: Path, result: Comparison) -> None:
    before = dict(zip(list_elements(old, shape.here), old, strict=True))
    after = dict(zip(list_elements(new, shape.here), new, strict=True))
    for element, item in after.items():
        below = (*path, element)
        if element not in before:
            _one_sided(item, shape.item if isinstance(item, dict) else None, below, result.added)
        elif before[element] != item:
            _compare_values(before[element], item, shape.item, below, result)
    for element, item in before.items():
        if element not in after:
            _one_sided(item, shape.item if isinstance(item, dict) else None, (*path, element), result.removed)


def _one_sided(value: Any, shape: Shape | None, path: Path, result: FieldSet) -> None:
    """Record a value that only one side has: its own path and all below."""
    insert(result, path)
    if shape is None or shape.here.kind == "atomic" or not value:
        return
    if isinstance(value, dict):
        for name, child in value.items():
            _one_sided(child, _below(shape, name, child, None), (*path, "f:" + name), result)
    elif isinstance(value, list) and shape.here.kind in ("set", "map"):
        for element, item in zip(list_elements(value, shape.here), value, strict=True):
            _one_sided(item, shape.item if isinstance(item, dict) else None, (*path, element), result)
