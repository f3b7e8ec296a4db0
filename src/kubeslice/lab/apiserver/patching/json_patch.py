"""JSON Patch (RFC 6902); the REST side calls `apply` with what a client sent."""

import copy
from typing import Any

Document = dict[str, Any] | list[Any]


class PatchFailed(Exception):
    """The patch does not fit the document."""


def apply(document: Any, operations: list[dict[str, Any]]) -> Any:
    """Return the document after all operations; the argument is not changed."""
    holder: dict[str, Any] = {"": copy.deepcopy(document)}
    for operation in operations:
        _run(holder, operation)
    return holder[""]


def _run(holder: dict[str, Any], operation: dict[str, Any]) -> None:
    name, path = operation.get("op"), _tokens(operation.get("path", ""))
    if name in ("add", "replace", "test"):
        if "value" not in operation and name != "test":
            raise PatchFailed(f"{name} operation has no value: missing value")
        _write(holder, name, path, operation.get("value"))
    elif name == "remove":
        _remove(holder, path)
    elif name in ("move", "copy"):
        source = _tokens(operation.get("from", ""))
        value = copy.deepcopy(_read(holder, source))
        if name == "move":
            _remove(holder, source)
        _write(holder, "add", path, value)
    else:
        raise PatchFailed(f"Unexpected kind: {name}")


def _write(holder: dict[str, Any], name: str, path: list[str], value: Any) -> None:
    if name == "test":
        if _read_or_none(holder, path) != value:
            raise PatchFailed(f"testing value {_pointer(path)} failed: test failed")
        return
    parent, last = _parent(holder, path, name), path[-1]
    if isinstance(parent, list):
        _write_item(parent, name, last, value, path)
    else:
        if name == "replace" and last not in parent:
            raise PatchFailed(f"replace operation does not apply: doc is missing key: {_pointer(path)}: missing value")
        parent[last] = value


def _write_item(parent: list[Any], name: str, last: str, value: Any, path: list[str]) -> None:
    if name == "add":
        parent.insert(len(parent) if last == "-" else _index(last, len(parent) + 1, path), value)
    else:
        parent[_index(last, len(parent), path)] = value


def _remove(holder: dict[str, Any], path: list[str]) -> None:
    parent, last = _parent(holder, path, "remove"), path[-1]
    if isinstance(parent, list):
        del parent[_index(last, len(parent), path)]
    elif last in parent:
        del parent[last]
    else:
        raise PatchFailed(f"remove operation does not apply: doc is missing key: {_pointer(path)}: missing value")


def _parent(holder: dict[str, Any], path: list[str], name: str) -> Any:
    try:
        parent = _read(holder, path[:-1])
    except PatchFailed as missing:
        raise PatchFailed(f"{name} operation does not apply: doc is missing path: {_pointer(path)}") from missing
    if not isinstance(parent, (dict, list)):
        raise PatchFailed(f"{name} operation does not apply: doc is missing path: {_pointer(path)}")
    return parent


def _read_or_none(holder: dict[str, Any], path: list[str]) -> Any:
    try:
        return _read(holder, path)
    except PatchFailed:
        return None


def _read(holder: dict[str, Any], path: list[str]) -> Any:
    value: Any = holder
    for token in path:
        if isinstance(value, dict) and token in value:
            value = value[token]
        elif isinstance(value, list):
            value = value[_index(token, len(value), path)]
        else:
            raise PatchFailed(f"missing path: {_pointer(path)}")
    return value


def _index(token: str, length: int, path: list[str]) -> int:
    try:
        index = int(token)
    except ValueError as wrong:
        raise PatchFailed(f"{_pointer(path)}: invalid array index: {token}") from wrong
    index += length if index < 0 else 0
    if not 0 <= index < length:
        raise PatchFailed(f"Unable to access invalid index: {token}: invalid index referenced")
    return index


def _tokens(pointer: str) -> list[str]:
    """Split a JSON pointer (RFC 6901); the first token stands for the document itself."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")] if pointer else [""]


def _pointer(path: list[str]) -> str:
    return "/".join(path)
