"""A local copy of one collection that follows the API server for as long as the process lives.

Lists once, then watches. On 410, or after anything else it cannot continue from, it lists again and reports what
vanished in between as deletions, so that subscribers see one consistent history. Restarts of the API server are
waited out with back-off.
"""

import asyncio
import logging
from collections.abc import Callable

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.backoff import Backoff
from kubeslice.kube.errors import ApiError, Gone, Unavailable
from kubeslice.model.resources import Resource

log = logging.getLogger(__name__)

Subscriber = Callable[[Object | None, Object | None], None]
Name = tuple[str, str]


class Informer:
    """A cache of one resource, in one namespace or all, under fixed selectors.

    `synced` is set after the first list. Subscribers are called synchronously with (old, new); old is None for an
    addition, new is None for a deletion. Objects in the cache are shared: never change them. They are what `keep` makes
    of what the server sends.
    """

    def __init__(
        self,
        api: Api,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
        keep: Callable[[Object], Object] = lambda obj: obj,
    ) -> None:
        self.resource = resource
        self.synced = asyncio.Event()
        self.failure: ApiError | None = None
        self._api = api
        self._namespace = namespace
        self._labels = labels
        self._fields = fields
        self._keep = keep
        self._objects: dict[Name, Object] = {}
        self._subscribers: list[Subscriber] = []
        self._version = ""

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber` for every change from now on, and for everything already known; return how to end that."""
        self._subscribers.append(subscriber)
        for obj in self._objects.values():
            subscriber(None, obj)
        return lambda: self._subscribers.remove(subscriber)

    def get(self, name: str, namespace: str | None = None) -> Object | None:
        """Return one object from the cache."""
        return self._objects.get((namespace or "", name))

    @property
    def count(self) -> int:
        """Return how many objects are cached."""
        return len(self._objects)

    def items(self, namespace: str | None = None) -> list[Object]:
        """Return all cached objects, or those of one namespace, by namespace and name."""
        return [self._objects[key] for key in sorted(self._objects) if namespace in (None, key[0])]

    async def run(self) -> None:
        """Follow the API server until cancelled."""
        backoff = Backoff()
        while True:
            try:
                await self._follow(backoff)
            except Gone:
                self._version = ""
            except ApiError as error:
                self._report(error)
                if not isinstance(error, Unavailable):
                    self._version = ""
                await asyncio.sleep(backoff.next())

    async def _follow(self, backoff: Backoff) -> None:
        if not self._version:
            await self._list()
        self._recovered()
        stream = self._api.watch(
            self.resource, self._namespace, labels=self._labels, fields=self._fields, since=self._version
        )
        async for event in stream:
            backoff.reset()
            self._version = event.object["metadata"]["resourceVersion"]
            if event.type == "DELETED":
                self._forget(_key(event.object), self._keep(event.object))
            elif event.type != "BOOKMARK":
                self._remember(self._keep(event.object))

    async def _list(self) -> None:
        listing = await self._api.list(self.resource, self._namespace, labels=self._labels, fields=self._fields)
        for key in self._objects.keys() - {_key(item) for item in listing.items}:
            self._forget(key, self._objects[key])
        for item in listing.items:
            known = self._objects.get(_key(item))
            if known is None or known["metadata"]["resourceVersion"] != item["metadata"]["resourceVersion"]:
                self._remember(self._keep(item))
        self._version = listing.resource_version
        self.synced.set()

    def _remember(self, obj: Object) -> None:
        key = _key(obj)
        old = self._objects.get(key)
        self._objects[key] = obj
        if old is not None and objects.uid(old) != objects.uid(obj):
            # Deleted and created again while nobody looked: two changes, not one.
            self._emit(old, None)
            old = None
        self._emit(old, obj)

    def _forget(self, key: Name, last: Object) -> None:
        if self._objects.pop(key, None) is not None:
            self._emit(last, None)

    def _emit(self, old: Object | None, new: Object | None) -> None:
        for subscriber in self._subscribers:
            subscriber(old, new)

    def _report(self, error: ApiError) -> None:
        if self.failure is None or self.failure.reason != error.reason:
            log.warning("cannot follow %s: %s", self.resource.plural, error.message)
        self.failure = error

    def _recovered(self) -> None:
        if self.failure is not None:
            log.info("following %s again", self.resource.plural)
        self.failure = None


def _key(obj: Object) -> Name:
    return objects.namespace(obj), objects.name(obj)
