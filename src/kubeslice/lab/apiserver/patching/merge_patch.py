"""JSON Merge Patch (RFC 7386)."""

from typing import Any


def apply(document: Any, patch: Any) -> Any:
    """Return the document with the patch laid over it; null removes."""
    if not isinstance(patch, dict):
        return patch
    result = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = apply(result.get(name), value)
    return result
