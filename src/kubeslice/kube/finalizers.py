"""Finalizers: one JSON patch each, guarded so that two controllers never overwrite each other's entries."""

from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import NotFound
from kubeslice.model.resources import Resource


async def add(api: Api, resource: Resource, obj: Object, finalizer: str) -> Object:
    """Make sure `finalizer` holds the object. Raises `Conflict` when the object changed meanwhile."""
    if objects.has_finalizer(obj, finalizer) or objects.is_deleting(obj):
        return obj
    change = _replacement(obj, [*objects.finalizers(obj), finalizer])
    return await api.patch(resource, objects.name(obj), objects.namespace(obj) or None, change)


async def remove(api: Api, resource: Resource, obj: Object, finalizer: str) -> None:
    """Let the object go as far as `finalizer` is concerned. Raises `Conflict` when it changed meanwhile."""
    if not objects.has_finalizer(obj, finalizer):
        return
    kept = [entry for entry in objects.finalizers(obj) if entry != finalizer]
    try:
        await api.patch(resource, objects.name(obj), objects.namespace(obj) or None, _replacement(obj, kept))
    except NotFound:
        return


def _replacement(obj: Object, wanted: list[str]) -> dict[str, Any]:
    # A merge patch that carries the resource version fails with Conflict instead of losing somebody's finalizer.
    return {"metadata": {"finalizers": wanted, "resourceVersion": obj["metadata"]["resourceVersion"]}}
