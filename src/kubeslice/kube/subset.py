"""Does an object already say what we want it to say? Pure comparison that spares the API server needless writes."""

from collections.abc import Mapping
from typing import Any


def covers(seen: Any, wanted: Any) -> bool:
    """Tell whether `seen` holds everything in `wanted`: mappings may hold more, lists must be equal in length.

    Entries of lists are compared one by one and may hold more too, because API servers add defaults there.
    """
    # Asked for every object whenever its owner is looked at: most are simply equal, and objects are dicts and lists.
    if seen == wanted:
        return True
    if isinstance(wanted, dict):
        if not isinstance(seen, dict):
            return not wanted and seen is None
        return all(covers(seen.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        if not isinstance(seen, list):
            return not wanted and seen is None
        return len(seen) == len(wanted) and all(map(covers, seen, wanted))
    return False


def owned_by(manager: str, seen: Mapping[str, Any], subresource: str = "") -> Mapping[str, Any]:
    """Return the FieldsV1 tree that `manager` owns in `seen` by server-side apply, or an empty one."""
    for entry in seen.get("metadata", {}).get("managedFields") or []:
        is_ours = entry.get("manager") == manager and entry.get("operation") == "Apply"
        if is_ours and (entry.get("subresource") or "") == subresource:
            return dict(entry.get("fieldsV1") or {})
    return {}


def has_surplus(fields: Mapping[str, Any], wanted: Any) -> bool:
    """Tell whether the FieldsV1 tree `fields` owns a named field that `wanted` no longer has.

    Only `f:` entries are followed: list entries (`k:`, `v:`) that went away also change the list's length, which
    `covers` sees.
    """
    if not isinstance(wanted, dict):
        return False
    for entry, below in fields.items():
        if not entry.startswith("f:"):
            continue
        if entry[2:] not in wanted or (below and has_surplus(below, wanted[entry[2:]])):
            return True
    return False


def is_applied(seen: Mapping[str, Any] | None, wanted: Mapping[str, Any], manager: str, subresource: str = "") -> bool:
    """Tell whether server-side apply of `wanted` by `manager` would change nothing."""
    if seen is None:
        return False
    body = {key: value for key, value in wanted.items() if key not in {"apiVersion", "kind"}}
    fields = owned_by(manager, seen, subresource)
    return bool(fields) and covers(seen, body) and not has_surplus(fields, _named(body))


def _named(body: Mapping[str, Any]) -> Mapping[str, Any]:
    # Name and namespace identify an object and are never owned fields.
    metadata = {key: value for key, value in body.get("metadata", {}).items() if key not in {"name", "namespace"}}
    return {**body, "metadata": metadata}
