"""How the value at each path of a schema merges, for server-side apply and strategic merge patches.

Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
"""

from typing import Literal

from kubeslice.lab.apiserver.interfaces import FieldShape
from kubeslice.lab.apiserver.schema.node import Node

GRANULAR = FieldShape("granular")
ATOMIC = FieldShape("atomic")


def shape_at(root: Node, path: tuple[str, ...]) -> FieldShape:
    """Return the shape of the value at `path`; below what a schema leaves open, objects merge field by field."""
    node: Node | None = root
    for step in path:
        if node is None:
            return GRANULAR
        node = node.items if step == "*" and node.items is not None else node.sub(step)
    return GRANULAR if node is None else shape(node)


def shape(node: Node) -> FieldShape:
    """Return the shape of one node. Untyped nodes are granular: a scalar or list there is its own leaf anyway."""
    if node.type == "array":
        return FieldShape(
            _list_kind(node),
            keys=node.list_keys,
            defaults=node.list_defaults,
            patch_key=node.patch_key,
            patch_merge=node.patch_merge,
        )
    kind: Literal["granular", "atomic"] = "granular"
    if node.map_type == "atomic" or node.type not in ("object", ""):
        kind = "atomic"
    return FieldShape(kind, patch_retain_keys=node.patch_retain_keys)


def _list_kind(node: Node) -> Literal["atomic", "set", "map"]:
    if node.list_type == "map":
        return "map"
    return "set" if node.list_type == "set" else "atomic"
