"""Follows CustomResourceDefinitions: accepts their names, puts their resources into the catalog, cleans up after them.

What kube-apiserver's naming, establishing and finalizing controllers do over time happens here at once, right after
the write that calls for it.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.kinds.definitions import (
    CLEANUP_FINALIZER,
    RESOURCE,
    established_status,
    is_established,
    terminating_status,
)
from kubeslice.lab.apiserver.storage.entry import Change, Entry, Key
from kubeslice.lab.apiserver.storage.store import Overtaken, Store
from kubeslice.lab.apiserver.types.catalog import Catalog
from kubeslice.lab.apiserver.types.resource import ResourceType


class Registrar:
    """Keeps the catalog and the definitions of one server in step."""

    def __init__(self, store: Store, catalog: Catalog, make: Callable[[Object], list[ResourceType]]) -> None:
        self._store = store
        self._catalog = catalog
        self._make = make
        self._ending: dict[str, str] = {}
        self._generations: dict[str, int] = {}

    def start(self) -> None:
        """Serve what is stored and follow what changes."""
        for entry in self._store.scan(RESOURCE):
            self._follow(entry)
        self._store.listen(self._observe)

    def _observe(self, change: Change) -> None:
        name = change.key.name
        if change.key.resource == RESOURCE and change.type == "DELETED":
            self._catalog.set_custom(name, ())
            self._generations.pop(name, None)
            self._ending.pop(_storage(change.entry.obj), None)
        elif change.key.resource == RESOURCE:
            asyncio.get_running_loop().call_soon(self._settle, name)
        elif change.type == "DELETED" and change.key.resource in self._ending:
            asyncio.get_running_loop().call_soon(self._settle, self._ending[change.key.resource])

    def _settle(self, name: str) -> None:
        entry = self._store.find(Key(RESOURCE, name))
        if entry is not None:
            self._follow(entry)

    def _follow(self, entry: Entry) -> None:
        definition = entry.obj
        if "deletionTimestamp" in definition["metadata"]:
            self._end(definition, entry)
            return
        others = [other.obj for other in self._store.scan(RESOURCE) if _group(other.obj) == _group(definition)]
        status = established_status(definition, others, _now())
        finalizers = definition["metadata"].get("finalizers") or []
        if CLEANUP_FINALIZER not in finalizers:
            kept = {**entry.copy(), "status": status or definition["status"]}
            kept["metadata"]["finalizers"] = [*finalizers, CLEANUP_FINALIZER]
            self._write(entry, kept)
        elif status is not None:
            self._write(entry, {**entry.copy(), "status": status})
        elif is_established(definition):
            self._serve(definition)

    def _serve(self, definition: Object) -> None:
        """Serve a definition as it now is; what is stored is seen with the defaults of its present schema."""
        name, generation = definition["metadata"]["name"], definition["metadata"]["generation"]
        known = self._generations.get(name)
        self._generations[name] = generation
        if known == generation:
            return
        types = self._make(definition)
        self._catalog.set_custom(name, types)
        stored = next((one["name"] for one in definition["spec"]["versions"] if one["storage"]), "")
        for type_ in types:
            if known is not None and type_.version == stored:
                self._default_again(type_)

    def _default_again(self, type_: ResourceType) -> None:
        for key, entry in self._store.entries(type_.storage):
            filled = type_.schema.default(entry.copy())
            if filled != entry.obj:
                self._store.rewrite(key, filled)

    def _end(self, definition: Object, entry: Entry) -> None:
        """Delete all objects of a definition that is going, then let it go."""
        resource = _storage(definition)
        self._ending[resource] = definition["metadata"]["name"]
        for key, custom in self._store.entries(resource):
            self._delete(key, custom)
        if self._store.entries(resource):
            status = terminating_status(definition, _now())
            if status is not None:
                self._write(entry, {**entry.copy(), "status": status})
            return
        last = entry.copy()
        finalizers = [one for one in last["metadata"].get("finalizers") or [] if one != CLEANUP_FINALIZER]
        last["metadata"]["finalizers"] = finalizers
        if finalizers == (definition["metadata"].get("finalizers") or []):
            return
        if finalizers:
            self._write(entry, last)
        else:
            last["metadata"].pop("finalizers")
            self._store.delete(Key(RESOURCE, definition["metadata"]["name"]), entry, last)

    def _delete(self, key: Key, entry: Entry) -> None:
        metadata = entry.obj["metadata"]
        if not metadata.get("finalizers"):
            self._store.delete(key, entry)
        elif "deletionTimestamp" not in metadata:
            waiting = entry.copy()
            waiting["metadata"] |= {"deletionTimestamp": _now(), "deletionGracePeriodSeconds": 0}
            self._store.update(key, waiting, entry)

    def _write(self, entry: Entry, obj: Object) -> None:
        try:
            self._store.update(Key(RESOURCE, obj["metadata"]["name"]), obj, entry)
        except Overtaken:
            return  # the newer state is followed by itself


def _group(definition: Object) -> str:
    return str(definition["spec"]["group"])


def _storage(definition: Object) -> str:
    return f"{definition['spec']['group']}/{definition['spec']['names']['plural']}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
