"""Typed merging and removing of values for server-side apply; pure, the arguments are never changed."""

from typing import Any

from kubeslice.lab.apiserver.fields.elements import list_elements
from kubeslice.lab.apiserver.fields.sets import FieldSet, is_member
from kubeslice.lab.apiserver.fields.shapes import Shape


def merge(live: dict[str, Any], config: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """Return `live` with everything that `config` says laid over it."""
    result = dict(live)
    for name, value in config.items():
        current = result.get(name)
        if isinstance(value, (dict, list)) and current is not None:
            result[name] = _merge_value(current, value, shape.field(name))
        else:
            result[name] = value
    return result


def _merge_value(live: Any, config: Any, shape: Shape) -> Any:
    kind = shape.here.kind
    if kind == "granular" and isinstance(live, dict) and isinstance(config, dict):
        return merge(live, config, shape)
    if kind in ("set", "map") and isinstance(live, list) and isinstance(config, list):
        return _merge_lists(live, config, shape)
    return config


def _merge_lists(live: list[Any], config: list[Any], shape: Shape) -> list[Any]:
    """Merge by key: items that only the live list has keep their place, the others follow the configuration."""
    present = dict(zip(list_elements(live, shape.here), live, strict=True))
    wanted = dict(zip(list_elements(config, shape.here), config, strict=True))
    before, merged = list(present), []
    for element, item in wanted.items():
        while before and (before[0] not in wanted):
            merged.append(present[before.pop(0)])
        if before and before[0] == element:
            before.pop(0)
        known = present.get(element)
        merged.append(_merge_value(known, item, shape.item) if isinstance(item, dict) and known is not None else item)
    return merged + [present[element] for element in before if element not in wanted]


def remove(value: dict[str, Any], fields: FieldSet, shape: Shape) -> dict[str, Any]:
    """Return a value without the given paths; what becomes empty by it goes too."""
    if not fields:
        return value
    result = {}
    for name, child in value.items():
        node = fields.get("f:" + name)
        if node is None:
            result[name] = child
        elif not is_member(node):
            rest = _remove_below(child, node, shape.field(name))
            if rest:
                result[name] = rest
    return result


def _remove_below(value: Any, fields: FieldSet, shape: Shape) -> Any:
    kind = shape.here.kind
    if kind == "granular" and isinstance(value, dict):
        return remove(value, fields, shape)
    if kind in ("set", "map") and isinstance(value, list):
        return _remove_items(value, fields, shape)
    return value


def _remove_items(items: list[Any], fields: FieldSet, shape: Shape) -> list[Any]:
    result = []
    for element, item in zip(list_elements(items, shape.here), items, strict=True):
        node = fields.get(element)
        if node is None:
            result.append(item)
        elif not is_member(node):
            result.append(_remove_below(item, node, shape.item))
    return result
