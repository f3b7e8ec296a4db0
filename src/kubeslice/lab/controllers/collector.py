"""The garbage collector: carries out what `garbage` decides, asking the API server before it believes an owner gone."""

from collections.abc import Iterable
from typing import Any

from kubeslice.kube import objects, requests
from kubeslice.kube.api import Object
from kubeslice.kube.errors import Conflict, NotFound
from kubeslice.kube.requests import Request
from kubeslice.lab.controllers import garbage
from kubeslice.lab.controllers.census import Census, Entry
from kubeslice.lab.controllers.garbage import Owner
from kubeslice.lab.controllers.raw import RawApi
from kubeslice.model.errors import Retry
from kubeslice.model.ids import Key
from kubeslice.runtime.controller import Controller, Result


class Collector:
    """Reconciles objects by uid (the `name` of the key)."""

    def __init__(self, api: RawApi, census: Census) -> None:
        self._api = api
        self._census = census
        self.controller = Controller("garbage", self, [], concurrency=8)

    async def run(self) -> None:
        """Collect until cancelled."""
        await self._census.synced()
        for entry in self._census.all():
            self._enqueue(entry.object)
        self._census.subscribe(self._changed)
        await self.controller.run()

    async def reconcile(self, key: Key) -> Result:
        """Judge one object and act on the verdict."""
        entry = self._census.get(key.name)
        if entry is None:
            return Result()
        owners = {
            reference["uid"]: await self._owner(entry, reference) for reference in garbage.references(entry.object)
        }
        known = {uid: owner for uid, owner in owners.items() if owner is not None}
        dependents = [each.object for each in self._census.dependents(key.name)]
        if len(known) == len(owners):
            await self._act(entry, garbage.judge(entry.object, known, dependents))
        return Result()

    async def _act(self, entry: Entry, verdict: garbage.Verdict) -> None:
        try:
            match verdict:
                case garbage.Delete(propagation):
                    await self._api.send(deletion(entry, propagation))
                case garbage.Unlink(uids):
                    await self._unlink(entry, uids)
                case garbage.Release(finalizer):
                    await self._release(entry, finalizer)
                case garbage.Cascade():
                    self._enqueue_all(self._census.dependents(objects.uid(entry.object)))
                case garbage.Orphan():
                    for dependent in self._census.dependents(objects.uid(entry.object)):
                        await self._unlink(dependent, frozenset({objects.uid(entry.object)}))
                    await self._release(entry, garbage.ORPHAN)
        except NotFound:
            return

    async def _owner(self, entry: Entry, reference: dict[str, Any]) -> Owner | None:
        """Say what a reference names; None when its kind is not served, which proves nothing."""
        found = self._census.get(reference["uid"])
        if found is not None and objects.namespace(found.object) in ("", objects.namespace(entry.object)):
            return Owner.WAITING if garbage.is_waiting(found.object) else Owner.SOLID
        resource = self._census.resource(reference["apiVersion"], reference["kind"])
        namespace = objects.namespace(entry.object)
        if resource is None or (resource.namespaced and not namespace):
            return None
        try:
            owner = await self._api.get(resource, reference["name"], namespace if resource.namespaced else None)
        except NotFound:
            return Owner.ABSENT
        if objects.uid(owner) != reference["uid"]:
            return Owner.ABSENT
        return Owner.WAITING if garbage.is_waiting(owner) else Owner.SOLID

    async def _unlink(self, entry: Entry, uids: frozenset[str]) -> None:
        obj = entry.object
        await self._patch(entry, {"ownerReferences": garbage.without(obj, uids) or None})

    async def _release(self, entry: Entry, finalizer: str) -> None:
        kept = [each for each in objects.finalizers(entry.object) if each != finalizer]
        await self._patch(entry, {"finalizers": kept or None})

    async def _patch(self, entry: Entry, metadata: dict[str, Any]) -> None:
        resource, obj = entry
        guarded = {**metadata, "resourceVersion": obj["metadata"]["resourceVersion"], "uid": objects.uid(obj)}
        namespace = objects.namespace(obj) or None
        try:
            await self._api.patch(resource, objects.name(obj), namespace, {"metadata": guarded})
        except Conflict:
            raise Retry(f"{resource.kind} {objects.name(obj)} changed meanwhile", after=0.05) from None

    def _changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self._enqueue(new)
            if garbage.is_waiting(new):
                self._enqueue_all(self._census.dependents(objects.uid(new)))
        if old is not None and new is None:
            self._mourn(old)

    def _mourn(self, gone: Object) -> None:
        """Look at the dependents of an object that is gone, and at owners that waited for it."""
        self._enqueue_all(self._census.dependents(objects.uid(gone)))
        for reference in garbage.references(gone):
            owner = self._census.get(reference["uid"])
            if owner is not None and garbage.is_waiting(owner.object):
                self._enqueue(owner.object)

    def _enqueue(self, obj: Object) -> None:
        if garbage.references(obj) or objects.is_deleting(obj):
            self.controller.enqueue(Key("", "", objects.uid(obj)))

    def _enqueue_all(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self._enqueue(entry.object)


def deletion(entry: Entry, propagation: garbage.Propagation) -> Request:
    """Return the request that deletes exactly this object with that propagation."""
    resource, obj = entry
    plain = requests.delete(resource, objects.name(obj), objects.namespace(obj) or None, objects.uid(obj), None)
    body = plain.body.replace(b'"propagationPolicy":"Background"', f'"propagationPolicy":"{propagation}"'.encode())
    return Request(plain.method, plain.target, body, plain.headers)
