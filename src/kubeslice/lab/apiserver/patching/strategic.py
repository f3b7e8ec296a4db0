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
        _follow(result, name, value, shape, document)
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
    key, live = shape.here.patch_key, current if isinstance(current, list) else []
    plain = [item for item in patch if not (isinstance(item, dict) and _DIRECTIVE in item)]
    if key:
        replaces = any(isinstance(item, dict) and item.get(_DIRECTIVE) == "replace" for item in patch)
        return plain if replaces else _arranged(_merge_items(live, patch, key, shape), plain, live, key)
    if shape.here.patch_merge:
        return _arranged(live + [item for item in patch if item not in live], patch, live, key)
    return plain


def _merge_items(live: list[Any], patch: list[Any], key: str, shape: Shape) -> list[Any]:
    result = list(live)
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


def _follow(result: dict[str, Any], name: str, value: Any, shape: Shape, document: dict[str, Any]) -> None:
    """Carry out a directive that is about a list beside it."""
    if name.startswith(_DELETE_ITEMS):
        field = name.removeprefix(_DELETE_ITEMS)
        if isinstance(result.get(field), list):
            result[field] = [item for item in result[field] if item not in value]
    elif name.startswith(_ORDER):
        field = name.removeprefix(_ORDER)
        if isinstance(result.get(field), list):
            live = document.get(field)
            key = shape.field(field).here.patch_key
            result[field] = _arranged(result[field], value, live if isinstance(live, list) else [], key)


def _arranged(items: list[Any], order: list[Any], live: list[Any], key: str) -> list[Any]:
    """Sort items: those that `order` names in that order, and the others among them where the live list had them."""

    def places(entries: list[Any]) -> dict[Any, int]:
        return {_identity(entry, key): index for index, entry in reversed(list(enumerate(entries)))}

    wanted, before = places(order), places(live)
    named = [item for item in items if _identity(item, key) in wanted]
    named.sort(key=lambda item: wanted[_identity(item, key)])
    others = [item for item in items if _identity(item, key) not in wanted]
    others.sort(key=lambda item: before.get(_identity(item, key), len(before)))
    result = []
    while named and others:
        first, second = before.get(_identity(others[0], key)), before.get(_identity(named[0], key))
        is_before = first is not None and second is not None and first < second
        result.append(others.pop(0) if is_before else named.pop(0))
    return result + named + others


def _identity(item: Any, key: str) -> Any:
    value = item.get(key) if key and isinstance(item, dict) else item
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)
