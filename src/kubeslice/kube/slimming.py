"""Objects as an informer of hundreds of thousands keeps them: without what its owner never asks for, sharing the rest.

Of `managedFields`, the larger half of an object, only the owner's own server-side apply is needed to know whether a
write would change anything (`kube.subset`); it is the same for most objects of a kind. Names, labels, addresses and
keys repeat in thousands of objects and are kept once.
"""

import json
import sys
from typing import Any

from kubeslice.kube.api import Object

# Longer texts, and what is every object's own, are not worth a place among those that are looked for.
LONGEST_SHARED = 64
UNIQUE = frozenset({"uid", "resourceVersion"})
MOST_SHAPES = 4096


class Slimming:
    """Makes objects small for one field manager. The objects it returns are to be read only."""

    def __init__(self, manager: str) -> None:
        self._manager = manager
        self._shapes: dict[str, list[Object]] = {}

    def __call__(self, obj: Object) -> Object:
        """Return a smaller object that says the same to this manager."""
        metadata = obj["metadata"]
        fields = self._own(metadata.pop("managedFields", None) or [])
        slim: Object = _shared(obj)
        if fields:
            slim["metadata"]["managedFields"] = fields
        return slim

    def _own(self, entries: list[Object]) -> list[Object]:
        own = [
            {key: value for key, value in entry.items() if key != "time"}
            for entry in entries
            if entry.get("manager") == self._manager and entry.get("operation") == "Apply"
        ]
        if len(self._shapes) > MOST_SHAPES:
            self._shapes.clear()
        return self._shapes.setdefault(json.dumps(own), own)


def _shared(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            sys.intern(key): entry if key in UNIQUE and isinstance(entry, str) else _shared(entry)
            for key, entry in value.items()
        }
    if isinstance(value, list):
        return [_shared(entry) for entry in value]
    if isinstance(value, str) and len(value) <= LONGEST_SHARED:
        return sys.intern(value)
    return value
