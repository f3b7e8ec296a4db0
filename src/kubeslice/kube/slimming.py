"""Objects as an informer of hundreds of thousands keeps them: without what its owner never asks for, sharing the rest.

Of `managedFields`, the larger half of an object, only the owner's own server-side apply is needed to know whether a
write would change anything (`kube.subset`); it is the same for most objects of a kind. Names, labels, addresses and
keys repeat in thousands of objects and are kept once.
"""

import marshal
import sys
from typing import Any

from kubeslice.kube.api import Object

# Longer texts, and what is every object's own, are not worth a place among those that are looked for.
LONGEST_SHARED = 64
UNIQUE = frozenset({"uid", "resourceVersion"})
PLAIN = frozenset({int, float, bool, type(None)})
MOST_SHAPES = 4096


class Slimming:
    """Makes objects small for one field manager. The objects it returns are to be read only."""

    def __init__(self, manager: str) -> None:
        self._manager = manager
        self._shapes: dict[bytes, list[Object]] = {}

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
        # Version 2 writes equal values alike, and ten times as fast as JSON.
        return self._shapes.setdefault(marshal.dumps(own, 2), own)


def _shared(value: Any, key: str = "") -> Any:
    # Of each entry the type is asked once and no function is called for plain ones: this runs for every event.
    kind = type(value)
    if kind is str:
        return sys.intern(value) if len(value) <= LONGEST_SHARED and key not in UNIQUE else value
    if kind is dict:
        return {
            sys.intern(name): entry if type(entry) in PLAIN else _shared(entry, name) for name, entry in value.items()
        }
    if kind is list:
        return [_shared(entry) for entry in value]
    return value
