"""A model of one collection of an API server: revisions, watches that end or expire, deletions nobody saw.

Not a stand-in for Kubernetes (the embedded API server is that); it is the adversary of the informer's property test.
"""

import asyncio
import copy
from collections.abc import AsyncIterator
from typing import Any

from kubeslice.kube.api import Listing, Object, WatchEvent
from kubeslice.kube.errors import Gone, Unavailable


class Collection:
    """Objects by name, the history of their changes, and faults that the next watch or list meets."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.history: list[tuple[int, WatchEvent]] = []
        self.revision = 1
        self.oldest = 1
        self.is_down = False
        self.changed = asyncio.Event()
        self.generation = 0

    def put(self, name: str, value: int) -> None:
        known = self.objects.get(name)
        self.revision += 1
        uid = known["metadata"]["uid"] if known else f"{name}-{self.revision}"
        obj: dict[str, Any] = {
            "metadata": {"name": name, "uid": uid, "resourceVersion": str(self.revision)},
            "value": value,
        }
        self.objects[name] = obj
        self._log("MODIFIED" if known else "ADDED", obj)

    def drop(self, name: str) -> None:
        obj = self.objects.pop(name, None)
        if obj is not None:
            self.revision += 1
            last = copy.deepcopy(obj)
            last["metadata"]["resourceVersion"] = str(self.revision)
            self._log("DELETED", last)

    def compact(self) -> None:
        """Forget all history: watches from before get 410."""
        self.oldest = self.revision
        self.history.clear()

    def disconnect(self) -> None:
        """End every open watch."""
        self.generation += 1
        self.changed.set()

    def _log(self, kind: str, obj: Object) -> None:
        self.history.append((self.revision, WatchEvent(kind, copy.deepcopy(obj))))
        self.changed.set()

    async def list(self, *_: object, **__: object) -> Listing:
        await asyncio.sleep(0)
        if self.is_down:
            raise Unavailable(0, "NoAnswer", "down")
        return Listing(copy.deepcopy(list(self.objects.values())), str(self.revision))

    async def watch(self, *_: object, since: str = "", **__: object) -> AsyncIterator[WatchEvent]:
        await asyncio.sleep(0)
        seen, generation = int(since), self.generation
        while generation == self.generation and not self.is_down:
            if seen < self.oldest:
                raise Gone(410, "Expired", "too old resource version")
            for revision, event in [entry for entry in self.history if entry[0] > seen]:
                seen = revision
                yield event
            self.changed.clear()
            await self.changed.wait()
        if self.is_down:
            raise Unavailable(0, "NoAnswer", "down")
