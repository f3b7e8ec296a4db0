"""Bring a set of objects to what is wanted: apply what differs, delete what we made and no longer want."""

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import Conflict, NotFound
from kubeslice.kube.subset import is_applied
from kubeslice.model.errors import Retry
from kubeslice.model.resources import Resource

Identity = tuple[str, str, str]
PARALLEL = 8


@dataclass(frozen=True)
class Item:
    """One wanted object and the resource it belongs to."""

    resource: Resource
    object: Object


@dataclass(frozen=True)
class Changes:
    """What was written, as "Kind namespace/name"."""

    applied: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.applied or self.deleted)


async def sync(api: Api, manager: str, wanted: Iterable[Item], seen: Iterable[Item]) -> Changes:
    """Apply each wanted object that differs from its seen self, then delete the seen ones that are not wanted.

    `seen` must hold only objects that this manager made for this purpose (select them by owner labels): everything in
    it that is not wanted is deleted. An object that is being deleted is left to finish. When some cannot be applied,
    the others are applied nevertheless, none is deleted, and the first error is raised.
    """
    before = {_identity(item): item for item in seen}
    after = {_identity(item): item for item in wanted}
    stale = [item for identity, item in before.items() if identity not in after]
    changed = [
        item for identity, item in after.items() if not is_applied(_object(before.get(identity)), item.object, manager)
    ]
    gate = asyncio.Semaphore(PARALLEL)
    await _all(_apply(api, manager, item, gate) for item in changed)
    await _all(_delete(api, item, gate) for item in stale)
    return Changes(tuple(map(_describe, changed)), tuple(map(_describe, stale)))


async def apply_if_needed(
    api: Api, manager: str, resource: Resource, wanted: Object, seen: Object | None, *, subresource: str = ""
) -> Object:
    """Apply one object unless `seen` shows that nothing would change; return the object as it is now."""
    if seen is not None and is_applied(seen, wanted, manager, subresource):
        return seen
    return await api.apply(resource, wanted, manager=manager, subresource=subresource)


async def _all(steps: Iterable[Coroutine[Any, Any, None]]) -> None:
    for outcome in await asyncio.gather(*steps, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


async def _apply(api: Api, manager: str, item: Item, gate: asyncio.Semaphore) -> None:
    """Apply one object. Raises `Retry` when what it refers to, a role or a namespace, is not known to the server yet.

    kube-apiserver judges a role binding by a cache of roles, which a role enters a moment after it was made.
    """
    try:
        async with gate:
            await api.apply(item.resource, item.object, manager=manager)
    except NotFound as missing:
        raise Retry(f"{_describe(item)} has to wait: {missing.message}") from missing


async def _delete(api: Api, item: Item, gate: asyncio.Semaphore) -> None:
    obj = item.object
    if objects.is_deleting(obj):
        return
    try:
        async with gate:
            await api.delete(item.resource, objects.name(obj), objects.namespace(obj) or None, uid=objects.uid(obj))
    except (NotFound, Conflict):
        # Gone already, or replaced by another object of the same name: neither is ours to delete any more.
        return


def _identity(item: Item) -> Identity:
    return item.resource.plural, objects.namespace(item.object), objects.name(item.object)


def _object(item: Item | None) -> Object | None:
    return item.object if item else None


def _describe(item: Item) -> str:
    _, namespace, name = _identity(item)
    return f"{item.resource.kind} {namespace}/{name}" if namespace else f"{item.resource.kind} {name}"
