"""Everything in the cluster that may own, be owned or fill a namespace, followed by informers of all kinds.

Built-in kinds are a fixed list; custom ones come and go with their CustomResourceDefinitions. The garbage collector
and the namespace controller ask here.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.informer import Informer
from kubeslice.lab.controllers import garbage
from kubeslice.model.resources import CRDS, Resource

log = logging.getLogger(__name__)

Changed = Callable[[Object | None, Object | None], None]


class Entry(NamedTuple):
    """An object and the resource it belongs to."""

    resource: Resource
    object: Object


class Census:
    """All objects by uid, by owner and by namespace."""

    def __init__(self, api: Api, builtin: Mapping[Resource, Informer], definitions: Informer) -> None:
        self._api = api
        self._definitions = definitions
        self._informers: dict[Resource, Informer] = dict(builtin)
        self._entries: dict[str, Entry] = {}
        self._dependents: dict[str, set[str]] = {}
        self._residents: dict[str, set[str]] = {}
        self._subscribers: list[Changed] = []
        self._tasks: dict[Resource, asyncio.Task[None]] = {}
        for resource, informer in builtin.items():
            informer.subscribe(self._recorder(resource))

    async def run(self) -> None:
        """Follow custom resources for as long as their definitions exist."""
        async with asyncio.TaskGroup() as group:
            self._definitions.subscribe(lambda old, new: self._define(group, old, new))
            await asyncio.Event().wait()

    async def synced(self) -> None:
        """Wait until all built-in kinds, and the custom ones known by then, have been listed."""
        await self._definitions.synced.wait()
        for informer in list(self._informers.values()):
            await informer.synced.wait()

    def subscribe(self, subscriber: Changed) -> None:
        """Call `subscriber` for every change from now on."""
        self._subscribers.append(subscriber)

    def get(self, uid: str) -> Entry | None:
        """Return the object of that uid."""
        return self._entries.get(uid)

    def dependents(self, uid: str) -> list[Entry]:
        """Return the objects that name the object of that uid as an owner."""
        return [self._entries[each] for each in sorted(self._dependents.get(uid, ()))]

    def residents(self, namespace: str) -> list[Entry]:
        """Return what is in a namespace."""
        return [self._entries[each] for each in sorted(self._residents.get(namespace, ()))]

    def all(self) -> Iterable[Entry]:
        """Return everything."""
        return list(self._entries.values())

    def resources(self) -> list[Resource]:
        """Return every kind that is followed."""
        return list(self._informers)

    def resource(self, api_version: str, kind: str) -> Resource | None:
        """Return the resource that an owner reference means, whatever the version."""
        group = api_version.rpartition("/")[0]
        return next((each for each in self._informers if (each.group, each.kind) == (group, kind)), None)

    def _define(self, group: asyncio.TaskGroup, old: Object | None, new: Object | None) -> None:
        before = custom_resource(old) if old else None
        after = custom_resource(new) if new else None
        if before is not None and before != after:
            self._drop(before)
        if after is not None and after not in self._informers:
            informer = Informer(self._api, after)
            informer.subscribe(self._recorder(after))
            self._informers[after] = informer
            self._tasks[after] = group.create_task(informer.run(), name=f"informer-{after.plural}")

    def _drop(self, resource: Resource) -> None:
        informer = self._informers.pop(resource, None)
        task = self._tasks.pop(resource, None)
        if task is not None:
            task.cancel()
        for obj in informer.items() if informer else ():
            self._changed(resource, obj, None)

    def _recorder(self, resource: Resource) -> Changed:
        return lambda old, new: self._changed(resource, old, new)

    def _changed(self, resource: Resource, old: Object | None, new: Object | None) -> None:
        if old is not None:
            self._forget(old)
        if new is not None:
            self._remember(Entry(resource, new))
        for subscriber in self._subscribers:
            subscriber(old, new)

    def _remember(self, entry: Entry) -> None:
        uid = objects.uid(entry.object)
        self._entries[uid] = entry
        self._residents.setdefault(objects.namespace(entry.object), set()).add(uid)
        for reference in garbage.references(entry.object):
            self._dependents.setdefault(reference["uid"], set()).add(uid)

    def _forget(self, obj: Object) -> None:
        entry = self._entries.pop(objects.uid(obj), None)
        if entry is None:
            return
        uid = objects.uid(entry.object)
        _discard(self._residents, objects.namespace(entry.object), uid)
        for reference in garbage.references(entry.object):
            _discard(self._dependents, reference["uid"], uid)


def custom_resource(definition: Object) -> Resource | None:
    """Return the resource a CustomResourceDefinition serves, in its first served version; None until it does."""
    if not objects.is_true(definition, "Established"):
        return None
    spec = objects.spec(definition)
    served = [version["name"] for version in spec.get("versions") or [] if version.get("served")]
    if not served:
        return None
    names = spec["names"]
    return Resource(
        spec["group"], served[0], names["kind"], names["plural"], namespaced=spec.get("scope") == "Namespaced"
    )


def definitions_of(api: Api) -> Informer:
    """Return the informer of CustomResourceDefinitions that a `Census` needs."""
    return Informer(api, CRDS)


def _discard(entries: dict[str, set[str]], key: str, uid: str) -> None:
    found = entries.get(key)
    if found is None:
        return
    found.discard(uid)
    if not found:
        del entries[key]
