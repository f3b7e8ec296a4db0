"""Empties namespaces that are being deleted, kind by kind, and lets them go when nothing is left.

Source: pkg/controller/namespace/deletion.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.errors import Conflict, NotFound
from kubeslice.kube.informer import Informer
from kubeslice.kube.requests import JSON, Request, path
from kubeslice.lab.controllers import statuses
from kubeslice.lab.controllers.census import Census, Entry
from kubeslice.lab.controllers.keys import keys_of
from kubeslice.lab.controllers.kinds import UNFOLLOWED
from kubeslice.lab.controllers.raw import RawApi
from kubeslice.model.ids import Key
from kubeslice.model.resources import NAMESPACES, Resource
from kubeslice.runtime.clock import Clock
from kubeslice.runtime.controller import Controller, Result
from kubeslice.runtime.sources import Source

FINALIZER = "kubernetes"
PATIENCE = 2.0


class Namespaces:
    """Reconciles one namespace at a time; does nothing until it is being deleted."""

    def __init__(self, api: RawApi, informer: Informer, census: Census, clock: Clock) -> None:
        self._api = api
        self._informer = informer
        self._census = census
        self._clock = clock
        self.controller = Controller("namespace", self, [Source(informer, keys_of)])
        census.subscribe(self._changed)

    async def reconcile(self, key: Key) -> Result:
        """Delete what is in the namespace, report what remains, finalize when nothing does."""
        namespace = self._informer.get(key.name)
        if namespace is None or not objects.is_deleting(namespace):
            return Result()
        left = self._census.residents(key.name) or await self._listed(key.name)
        for entry in left:
            await self._delete(entry)
        wanted = conditions(namespace, left, self._clock.now())
        if left:
            await statuses.write(self._api, NAMESPACES, namespace, {**objects.status(namespace), "conditions": wanted})
            return Result(after=PATIENCE)
        await self._finalize(namespace)
        return Result(f"namespace {key.name} is empty and gone")

    async def _listed(self, namespace: str) -> list[Entry]:
        for resource in UNFOLLOWED:
            await self._api.send(Request("DELETE", path(resource, namespace)))
        found: list[Entry] = []
        for resource in namespaced(self._census.resources()):
            try:
                listing = await self._api.list(resource, namespace)
            except NotFound:
                continue
            found += [Entry(resource, item) for item in listing.items]
        return found

    async def _delete(self, entry: Entry) -> None:
        resource, obj = entry
        if objects.is_deleting(obj):
            return
        try:
            await self._api.delete(resource, objects.name(obj), objects.namespace(obj), uid=objects.uid(obj))
        except (NotFound, Conflict):
            return

    async def _finalize(self, namespace: Object) -> None:
        spec = objects.spec(namespace)
        kept = [each for each in spec.get("finalizers") or [] if each != FINALIZER]
        body = {**namespace, "spec": {**spec, "finalizers": kept}}
        try:
            await self._api.send(finalization(body))
        except (NotFound, Conflict) as error:
            if isinstance(error, Conflict):
                raise

    def _changed(self, old: Object | None, new: Object | None) -> None:
        """Count again when something arrived in or left a namespace that is going."""
        obj = new or old
        assert obj is not None
        namespace = self._informer.get(objects.namespace(obj))
        if (old is None or new is None) and namespace is not None and objects.is_deleting(namespace):
            self.controller.enqueue(Key("", "", objects.name(namespace)))


def namespaced(followed: Iterable[Resource]) -> list[Resource]:
    """Return every kind that can be in a namespace, those that no informer follows included."""
    return [each for each in (*followed, *UNFOLLOWED) if each.namespaced]


def finalization(namespace: Object) -> Request:
    """Return the request that writes spec.finalizers of a namespace."""
    target = path(NAMESPACES, None, objects.name(namespace), "finalize")
    return Request("PUT", target, json.dumps(namespace).encode(), {"content-type": JSON})


def conditions(namespace: Object, left: Sequence[Entry], now: datetime) -> list[dict[str, Any]]:
    """Return the conditions that say what keeps the namespace."""
    held = Counter(finalizer for _, obj in left for finalizer in objects.finalizers(obj))
    kinds = Counter(_qualified(resource) for resource, _ in left)
    remaining = ", ".join(f"{kind} has {count} resource instances" for kind, count in sorted(kinds.items()))
    holding = ", ".join(f"{finalizer} in {count} resource instances" for finalizer, count in sorted(held.items()))
    entries = [
        ("NamespaceDeletionDiscoveryFailure", "", "ResourcesDiscovered", "All resources successfully discovered"),
        ("NamespaceDeletionGroupVersionParsingFailure", "", "ParsedGroupVersions",
         "All legacy kube types successfully parsed"),
        ("NamespaceDeletionContentFailure", "", "ContentDeleted",
         "All content successfully deleted, may be waiting on finalization"),
        ("NamespaceContentRemaining", remaining and f"Some resources are remaining: {remaining}",
         "SomeResourcesRemain" if remaining else "ContentRemoved", "All content successfully removed"),
        ("NamespaceFinalizersRemaining",
         holding and f"Some content in the namespace has finalizers remaining: {holding}",
         "SomeFinalizersRemain" if holding else "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
    ]  # fmt: skip
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return [_condition(namespace, kind, trouble, reason, fine, stamp) for kind, trouble, reason, fine in entries]


def _condition(namespace: Object, kind: str, trouble: str, reason: str, fine: str, stamp: str) -> dict[str, Any]:
    state = "True" if trouble else "False"
    seen = objects.condition(namespace, kind)
    since = seen["lastTransitionTime"] if seen and seen["status"] == state else stamp
    return {"type": kind, "status": state, "reason": reason, "message": trouble or fine, "lastTransitionTime": since}


def _qualified(resource: Resource) -> str:
    return f"{resource.plural}.{resource.group}"
