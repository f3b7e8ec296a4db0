"""What a schema does not know: pruned from objects before they are stored, reported to clients that ask for it.

`apiVersion`, `kind` and `metadata` of whole objects (the root and embedded resources) are always known.
Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning.
"""

from collections.abc import Iterator
from typing import Any

from kubeslice.lab.apiserver.schema.complaints import child
from kubeslice.lab.apiserver.schema.node import Node

OBJECT_FIELDS = frozenset({"apiVersion", "kind", "metadata"})


def prune(node: Node, value: Any, *, whole: bool = False) -> Any:
    """Return `value` without unknown fields; parts without any are shared with the argument."""
    if isinstance(value, dict):
        return _prune_object(node, value, whole=whole or node.embedded)
    if isinstance(value, list) and node.items is not None:
        pruned = [prune(node.items, item) for item in value]
        return pruned if any(a is not b for a, b in zip(pruned, value, strict=True)) else value
    return value


def _prune_object(node: Node, value: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    changed = False
    for name, field_value in value.items():
        sub = node.sub(name)
        if sub is not None and not (whole and name in OBJECT_FIELDS):
            kept[name] = prune(sub, field_value)
            changed = changed or kept[name] is not field_value
        elif node.preserve or (whole and name in OBJECT_FIELDS):
            kept[name] = field_value
        else:
            changed = True
    return kept if changed else value


def unknown_fields(node: Node, value: Any, path: str = "", *, whole: bool = False) -> Iterator[str]:
    """Yield the path of each field that `prune` would drop."""
    if isinstance(value, list):
        if node.items is not None:
            for index, item in enumerate(value):
                yield from unknown_fields(node.items, item, f"{path}[{index}]")
        return
    if not isinstance(value, dict):
        return
    whole = whole or node.embedded
    for name, field_value in value.items():
        if whole and name in OBJECT_FIELDS:
            continue
        sub = node.sub(name)
        if sub is not None:
            yield from unknown_fields(sub, field_value, child(path, name))
        elif not node.preserve:
            yield child(path, name)
