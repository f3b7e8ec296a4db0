"""Path elements of list items, shared by everything that walks typed values."""

from typing import Any

import orjson

from kubeslice.lab.apiserver.interfaces import FieldShape


def list_elements(items: list[Any], shape: FieldShape) -> list[str]:
    """Return the path element of each item of a `set` or `map` list."""
    if shape.kind == "set":
        return ["v:" + orjson.dumps(item).decode() for item in items]
    return [key_element(item, shape) for item in items]


def key_element(item: Any, shape: FieldShape) -> str:
    """Return the path element of one item of a `map` list, absent keys taken from the defaults."""
    if not isinstance(item, dict):
        return "v:" + orjson.dumps(item).decode()
    keys = {key: item.get(key, shape.defaults.get(key)) for key in sorted(shape.keys)}
    present = {key: value for key, value in keys.items() if value is not None}
    return "k:" + orjson.dumps(present).decode()
