"""Status writes of the controllers: only what changed, only when something changed, zeros left out as Go does."""

from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import NotFound
from kubeslice.model.resources import Resource


def compact(status: dict[str, Any]) -> dict[str, Any]:
    """Drop the fields that Go's `omitempty` would drop."""
    return {key: value for key, value in status.items() if value not in (0, "", None, [])}


def difference(seen: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the merge patch that turns one flat status into the other."""
    gone = dict.fromkeys(seen.keys() - wanted.keys())
    return gone | {key: value for key, value in wanted.items() if seen.get(key) != value}


async def write(api: Api, resource: Resource, obj: Object, wanted: dict[str, Any]) -> bool:
    """Bring the status of `obj` to `wanted`; tell whether that took a write."""
    change = difference(objects.status(obj), wanted)
    if not change:
        return False
    try:
        await api.patch(resource, objects.name(obj), objects.namespace(obj), {"status": change}, subresource="status")
    except NotFound:
        return False
    return True
