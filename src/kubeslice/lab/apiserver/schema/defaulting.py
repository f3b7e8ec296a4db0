"""Absent fields set to the defaults of a schema, as the API server does on writes and on reads of older objects.

Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting.
"""

from copy import deepcopy
from typing import Any

from kubeslice.lab.apiserver.schema.node import ABSENT, Node


def fill(node: Node, value: Any) -> Any:
    """Return `value` with defaults filled in; a null that the schema does not allow counts as absent.

    Parts that need nothing are shared with the argument.
    """
    if isinstance(value, dict):
        return _fill_object(node, value)
    if isinstance(value, list) and node.items is not None:
        items = [fill(node.items, item) for item in value]
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    return value


def _fill_object(node: Node, value: dict[str, Any]) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    changed = False
    for name, field_value in value.items():
        sub = node.sub(name)
        if sub is None:
            filled[name] = field_value
        elif field_value is None and not sub.nullable and name in node.properties:
            changed = True
        else:
            filled[name] = fill(sub, field_value)
            changed = changed or filled[name] is not field_value
    for name, sub in node.properties.items():
        if sub.default is not ABSENT and name not in filled:
            filled[name] = fill(sub, deepcopy(sub.default))
            changed = True
    return filled if changed else value
