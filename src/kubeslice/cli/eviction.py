"""`kubeslice cluster evict` and `forget`: who is shut out, who is gone, and what that means to its owner."""

from kubeslice.install.worker import slices_of
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.model import names, resources
from kubeslice.plan.hub.clusters import REACHABLE, joining
from kubeslice.plan.tenants.tenancy import Member


async def evict(api: Api, cluster: Object, *, undo: bool) -> str:
    """Shut a cluster out, or let it in again; return the sentence for people."""
    name, home = objects.name(cluster), objects.namespace(cluster)
    await api.patch(resources.CLUSTERS, name, home, {"spec": {"evicted": not undo}})
    if undo:
        return f"{name} may come back, and nobody speaks for it yet: {joining(Member(names.project_of(home), name))}"
    return (
        f"{name} is evicted: no gateway lets its packets in any more, its keys, certificates and its worker's "
        f"credential are revoked; undo with `kubeslice cluster evict {name} --undo`"
    )


async def forget(api: Api, cluster: Object) -> str:
    """Shut a cluster out that is gone for good and take it off the hub; return the sentence for people."""
    name, home = objects.name(cluster), objects.namespace(cluster)
    await api.patch(resources.CLUSTERS, name, home, {"spec": {"evicted": True}})
    slices = await slices_of(api, names.project_of(home), name)
    if slices:
        return (
            f"{name} is shut out of every slice; it is still named in spec.clusters of {', '.join(slices)}: take it "
            f"out there, then `kubeslice cluster forget {name}` again takes it off the hub"
        )
    await api.delete(resources.CLUSTERS, name, home, uid=objects.uid(cluster))
    return f"{name} is forgotten: the hub waits for nothing from it; if it ever comes back, uninstall KubeSlice there"


def is_heard(cluster: Object) -> bool:
    """Tell whether the worker of a cluster reports."""
    return objects.is_true(cluster, REACHABLE)
