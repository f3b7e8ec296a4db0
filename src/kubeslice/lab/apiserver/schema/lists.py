"""Lists whose items have an identity: sets are unique, maps are unique by their keys, and old items find new ones.

Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype.
"""

import json
from collections.abc import Hashable, Iterator
from typing import Any

from kubeslice.lab.apiserver.interfaces import FieldError
from kubeslice.lab.apiserver.schema import complaints
from kubeslice.lab.apiserver.schema.complaints import child
from kubeslice.lab.apiserver.schema.node import Node


def item_key(node: Node, item: Any) -> dict[str, Any]:
    """Return the key fields of an item of a map list, absent ones with their defaults or left out."""
    if not isinstance(item, dict):
        return {}
    given = {**node.list_defaults, **item}
    return {key: given[key] for key in node.list_keys if key in given}


def counterpart(node: Node, item: Any, old: list[Any] | None) -> Any:
    """Return the item of the old list with the same key; only items of map lists have one."""
    if old is None or node.list_type != "map":
        return None
    wanted = item_key(node, item)
    return next((each for each in old if item_key(node, each) == wanted), None)


def check(node: Node, value: Any, path: str = "") -> Iterator[FieldError]:
    """Yield the duplicates in the set and map lists of `value`."""
    if isinstance(value, dict):
        for name, sub_value in value.items():
            sub = node.sub(name)
            if sub is not None:
                yield from check(sub, sub_value, child(path, name))
    elif isinstance(value, list):
        yield from _duplicates(node, value, path)
        if node.items is not None:
            for index, item in enumerate(value):
                yield from check(node.items, item, f"{path}[{index}]")


def _duplicates(node: Node, value: list[Any], path: str) -> Iterator[FieldError]:
    if node.list_type not in ("set", "map"):
        return
    seen: set[Hashable] = set()
    for index, item in enumerate(value):
        identity = item if node.list_type == "set" else item_key(node, item)
        text = json.dumps(identity, sort_keys=True)
        if text in seen:
            yield complaints.duplicate(f"{path}[{index}]", identity)
        seen.add(text)
