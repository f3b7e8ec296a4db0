"""Strategic merge patch: merge patch that knows which lists have keys, and directives inside the patch.

Understands `$patch` (merge, replace, delete), `$deleteFromPrimitiveList`, `$setElementOrder` and `$retainKeys`.
Source: k8s.io/apimachinery/pkg/util/strategicpatch.
"""

from typing import Any

from kubeslice.lab.apiserver.fields.shapes import Shape
from kubeslice.lab.apiserver.patching.json_patch import PatchFailed

_DIRECTIVE = "$patch"
_DELETE_ITEMS = "$deleteFromPrimitiveList/"
_ORDER = "$setElementOrder/"
_RETAIN = "$retainKeys"


def apply(document: dict[str, Any], patch: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """Return the document with the patch merged in; the arguments are not changed."""
    directive = patch.get(_DIRECTIVE)
    if directive == "replace":
        return {name: value for name, value in patch.items() if name != _DIRECTIVE}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise PatchFailed(f"Unknown patch type found: {directive}")
    result = _retained(document, patch)
    for name, value in patch.items():
        if not name.startswith("$"):
            _merge_field(result, name, value, shape)
    for name, value in patch.items():
        _follow(result, name, value, shape)
    return result


def _retained(document: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    keep = patch.get(_RETAIN)
    if keep is None:
        return dict(document)
    return {name: value for name, value in document.items() if name in keep}


def _merge_field(result: dict[str, Any], name: str, value: Any, shape: Shape) -> None:
    if value is None:
        result.pop(name, None)
    elif isinstance(value, dict):
        current = result.get(name)
        result[name] = apply(current if isinstance(current, dict) else {}, value, shape.field(name))
    elif isinstance(value, list):
        result[name] = _merge_list(result.get(name), value, shape.field(name))
    else:
        result[name] = value


def _merge_list(current: Any, patch: list[Any], shape: Shape) -> list[Any]:
    here = shape.here
    present = current if isinstance(current, list) else []
    if here.patch_key:
        return _merge_items(present, patch, here.patch_key, shape)
    if here.patch_merge:
        return present + [item for item in patch if item not in present]
    return [item for item in patch if not (isinstance(item, dict) and _DIRECTIVE in item)]


def _merge_items(present: list[Any], patch: list[Any], key: str, shape: Shape) -> list[Any]:
    if any(isinstance(item, dict) and item.get(_DIRECTIVE) == "replace" for item in patch):
        return [item for item in patch if not (isinstance(item, dict) and _DIRECTIVE in item)]
    result = list(present)
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise PatchFailed(f"map: {item} does not contain declared merge key: {key}")
        _merge_item(result, item, key, shape)
    return result


def _merge_item(result: list[Any], item: dict[str, Any], key: str, shape: Shape) -> None:
    places = [index for index, other in enumerate(result) if isinstance(other, dict) and other.get(key) == item[key]]
    if item.get(_DIRECTIVE) == "delete":
        for index in reversed(places):
            del result[index]
    elif places:
        result[places[0]] = apply(result[places[0]], item, shape.item)
    else:
        result.append(apply({}, item, shape.item))


def _follow(result: dict[str, Any], name: str, value: Any, shape: Shape) -> None:
    """Carry out a directive that is about a list beside it."""
    if name.startswith(_DELETE_ITEMS):
        field = name.removeprefix(_DELETE_ITEMS)
        if isinstance(result.get(field), list):
            result[field] = [item for item in result[field] if item not in value]
    elif name.startswith(_ORDER):
        field = name.removeprefix(_ORDER)
        if isinstance(result.get(field), list):
            result[field] = _ordered(result[field], value, shape.field(field).here.patch_key)


def _ordered(items: list[Any], order: list[Any], key: str) -> list[Any]:
    """Sort the items that the order names, and leave the others at their places."""

    def identity(item: Any) -> Any:
        return item.get(key) if key and isinstance(item, dict) else item

    wanted = [identity(entry) for entry in order]
    named = sorted((item for item in items if identity(item) in wanted), key=lambda item: wanted.index(identity(item)))
    remaining = iter(named)
    return [next(remaining) if identity(item) in wanted else item for item in items]
