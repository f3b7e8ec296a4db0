"""What a controller wrote and has not yet seen come back through its informer.

A cache lags behind the writes of its own process. A controller that counts pods asks here first, or it would create
the same pods twice.
"""

import time

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.informer import Informer

PATIENCE = 5.0


class Expectations:
    """Creations and deletions, by the uid of the object they were made for, until `informer` shows them."""

    def __init__(self, informer: Informer) -> None:
        self._informer = informer
        self._awaited: dict[str, dict[str, float]] = {}
        informer.subscribe(self._seen)

    def created(self, owner: str, obj: Object) -> None:
        """Expect to see `obj`, which was just created."""
        if self._informer.get(objects.name(obj), objects.namespace(obj)) is None:
            self._await(owner, objects.uid(obj))

    def deleted(self, owner: str, obj: Object) -> None:
        """Expect to see `obj` leave or get a deletion time."""
        known = self._informer.get(objects.name(obj), objects.namespace(obj))
        if known is not None and objects.uid(known) == objects.uid(obj) and not objects.is_deleting(known):
            self._await(owner, f"-{objects.uid(obj)}")

    def are_met(self, owner: str) -> bool:
        """Tell whether the cache shows everything written for `owner`; after `PATIENCE` it is believed anyway."""
        awaited = self._awaited.get(owner)
        if not awaited:
            return True
        now = time.monotonic()
        if all(now - since > PATIENCE for since in awaited.values()):
            del self._awaited[owner]
            return True
        return False

    def _await(self, owner: str, mark: str) -> None:
        self._awaited.setdefault(owner, {})[mark] = time.monotonic()

    def _seen(self, old: Object | None, new: Object | None) -> None:
        obj = new or old
        assert obj is not None
        uid = objects.uid(obj)
        marks = {uid}
        if new is None or objects.is_deleting(new):
            marks.add(f"-{uid}")
        for owner in list(self._awaited):
            awaited = self._awaited[owner]
            for mark in marks:
                awaited.pop(mark, None)
            if not awaited:
                del self._awaited[owner]
