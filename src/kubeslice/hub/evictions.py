"""What an evicted cluster is made to let go of: everything in its namespace, whatever its worker holds on to.

Called by `hub.clusters` after the credential is gone, so that nobody puts a finalizer back.
"""

from kubeslice.hub.caches import Caches
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import NotFound
from kubeslice.model.resources import Resource
from kubeslice.plan.tenants.tenancy import Member


async def clear(api: Api, caches: Caches, member: Member) -> None:
    """Delete the cluster's worker objects and exports. Raises `Conflict` when one changed meanwhile."""
    for informer in (*caches.held_by_workers, caches.exports):
        for obj in informer.items(member.namespace):
            await _drop(api, informer.resource, obj)


async def _drop(api: Api, resource: Resource, obj: Object) -> None:
    name, namespace = objects.name(obj), objects.namespace(obj)
    try:
        if objects.finalizers(obj):
            released = {"finalizers": [], "resourceVersion": obj["metadata"]["resourceVersion"]}
            await api.patch(resource, name, namespace, {"metadata": released})
        if not objects.is_deleting(obj):
            await api.delete(resource, name, namespace, uid=objects.uid(obj))
    except NotFound:
        return
