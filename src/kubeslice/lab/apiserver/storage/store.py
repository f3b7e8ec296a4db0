"""The store: every object in memory, every write in the database first, every watcher told. One per server.

Writes are synchronous and compare what the caller saw with what is there, so a handler that reads, decides and writes
without awaiting in between needs no lock, and one that awaited learns that it was overtaken.
"""

import asyncio
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import orjson

from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.storage.database import Database
from kubeslice.lab.apiserver.storage.entry import Change, Entry, Key
from kubeslice.lab.apiserver.storage.history import History
from kubeslice.lab.apiserver.storage.subscription import Subscription


class Overtaken(Exception):
    """The object is not in the state that the caller saw."""


class Shelf:
    """The objects of one resource, by name and in the order of their names."""

    __slots__ = ("changed_at", "entries", "names")

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.names: list[str] = []
        self.changed_at = 0

    def put(self, name: str, entry: Entry) -> None:
        """Set the state of an object."""
        if name not in self.entries:
            insort(self.names, name)
        self.entries[name] = entry

    def drop(self, name: str) -> None:
        """Take an object away."""
        del self.entries[name]
        del self.names[bisect_left(self.names, name)]

    def under(self, prefix: str) -> list[str]:
        """Return the names that start with `prefix` (empty, or a namespace and a slash), in order."""
        if not prefix:
            return self.names
        return self.names[bisect_left(self.names, prefix) : bisect_left(self.names, prefix[:-1] + "0")]


class Store:
    """All objects of one cluster. `revision` is the global resourceVersion."""

    def __init__(self, database: Database, capacity: int) -> None:
        self._database = database
        self._shelves: dict[str, Shelf] = {}
        self._subscriptions: dict[tuple[str, str], set[Subscription]] = {}
        self._listeners: list[Callable[[Change], None]] = []
        self._progress = asyncio.Event()
        self.history = History(capacity)
        self.revision = 0
        self._load()

    def _load(self) -> None:
        changes = self._database.changes()
        for key, entry in self._database.objects():
            shelf = self._shelf(key.resource)
            shelf.entries[key.name] = entry
            shelf.changed_at = max(shelf.changed_at, entry.revision)
        for shelf in self._shelves.values():
            shelf.names = sorted(shelf.entries)
        for change in changes:
            shelf = self._shelf(change.key.resource)
            shelf.changed_at = max(shelf.changed_at, change.revision)
        self.revision = max((shelf.changed_at for shelf in self._shelves.values()), default=1)
        self.history.load(changes, self.revision)

    def _shelf(self, resource: str) -> Shelf:
        return self._shelves.setdefault(resource, Shelf())

    def find(self, key: Key) -> Entry | None:
        """Return the state of one object."""
        shelf = self._shelves.get(key.resource)
        return shelf.entries.get(key.name) if shelf else None

    def scan(self, resource: str, namespace: str = "") -> list[Entry]:
        """Return the objects of a resource in the order of their keys."""
        shelf = self._shelf(resource)
        entries = shelf.entries
        return [entries[name] for name in shelf.under(f"{namespace}/" if namespace else "")]

    def scan_at(self, resource: str, revision: int, namespace: str = "") -> list[tuple[str, Entry]]:
        """Return names and objects as they were at `revision`, which history must still reach."""
        state = self.history.state_at(resource, revision, self._shelf(resource).entries)
        prefix = f"{namespace}/" if namespace else ""
        return sorted((name, entry) for name, entry in state.items() if name.startswith(prefix))

    def last_change(self, resource: str) -> int:
        """Return the revision of the last change to a resource."""
        return self._shelf(resource).changed_at

    def create(self, key: Key, obj: Object) -> Entry:
        """Store a new object; `Overtaken` when there is one of that name."""
        if self.find(key) is not None:
            raise Overtaken
        return self._commit("ADDED", key, obj, None)

    def update(self, key: Key, obj: Object, seen: Entry) -> Entry:
        """Store the next state of an object; `Overtaken` when the stored one is not `seen`."""
        if self.find(key) is not seen:
            raise Overtaken
        return self._commit("MODIFIED", key, obj, seen)

    def delete(self, key: Key, seen: Entry, last: Object | None = None) -> Entry:
        """Remove an object, whose final state is `last` where it changed; `Overtaken` when it is not `seen`."""
        if self.find(key) is not seen:
            raise Overtaken
        return self._commit("DELETED", key, last or seen.copy(), seen)

    def _commit(self, kind: Literal["ADDED", "MODIFIED", "DELETED"], key: Key, obj: Object, old: Entry | None) -> Entry:
        revision = self.revision + 1
        obj["metadata"]["resourceVersion"] = str(revision)
        obj = {"kind": obj["kind"], "apiVersion": obj["apiVersion"], **obj}
        entry = Entry(orjson.dumps(obj), revision, obj)
        change = Change(revision, kind, key, entry, old)
        self._database.record(change)
        self.revision = revision
        self._place(change)
        self._progress.set()
        if revision % 1024 == 0:
            self._database.forget_before(self.history.oldest + 1)
        return entry

    def _place(self, change: Change) -> None:
        shelf = self._shelf(change.key.resource)
        if change.type == "DELETED":
            shelf.drop(change.key.name)
        else:
            shelf.put(change.key.name, change.entry)
        shelf.changed_at = change.revision
        self.history.append(change)
        for subscription in self._concerned(change.key):
            subscription.push(change)
        for listener in self._listeners:
            listener(change)
        if change.previous is not None:
            change.previous.forget()

    def rewrite(self, key: Key, obj: Object) -> None:
        """Keep an object in another form (with the defaults of a new schema) without it having changed."""
        seen = self._shelf(key.resource).entries[key.name]
        entry = Entry(orjson.dumps(obj), seen.revision, obj)
        self._database.rewrite(key, entry)
        self._shelf(key.resource).put(key.name, entry)

    def _concerned(self, key: Key) -> Iterator[Subscription]:
        # By namespace: a hundred workers that each follow their own must not wake for each other's objects.
        namespace, slash, _ = key.name.partition("/")
        yield from self._subscriptions.get((key.resource, ""), ())
        if slash:
            yield from self._subscriptions.get((key.resource, namespace), ())

    def subscribe(self, resource: str, namespace: str = "") -> Subscription:
        """Start to collect the changes of a resource, of one namespace or all; end it with `unsubscribe`."""
        subscription = Subscription()
        self._subscriptions.setdefault((resource, namespace), set()).add(subscription)
        return subscription

    def unsubscribe(self, resource: str, subscription: Subscription, namespace: str = "") -> None:
        """Stop collecting."""
        remaining = self._subscriptions[resource, namespace]
        remaining.discard(subscription)
        if not remaining:
            del self._subscriptions[resource, namespace]

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Call `listener` after every change, at once and in order."""
        self._listeners.append(listener)

    async def reached(self, revision: int, seconds: float) -> bool:
        """Wait until the store is at `revision`; False when it is not after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while self.revision < revision:
                    self._progress.clear()
                    await self._progress.wait()
        except TimeoutError:
            return False
        return True

    def entries(self, resource: str) -> Iterable[tuple[Key, Entry]]:
        """Return a snapshot of all keys and states of a resource."""
        return [(Key(resource, name), entry) for name, entry in self._shelf(resource).entries.items()]

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()
