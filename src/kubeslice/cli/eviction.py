"""`kubeslice cluster evict` and `forget`: who is shut out, who is gone, and what that means to its owner."""

from kubeslice.install.worker import slices_of
from kubeslice.kube import objects, waiting
from kubeslice.kube.api import Api, Object
from kubeslice.model import names
from kubeslice.model.resources import CLUSTERS
from kubeslice.plan.hub.clusters import REACHABLE, is_shut_out, joining
from kubeslice.plan.tenants.tenancy import Member

PATIENCE = 30.0


async def evict(api: Api, cluster: Object, *, undo: bool) -> str:
    """Shut a cluster out and wait until the hub has, or let it in again; return the sentence for people."""
    name, home = objects.name(cluster), objects.namespace(cluster)
    await api.patch(CLUSTERS, name, home, {"spec": {"evicted": not undo}})
    if undo:
        return f"{name} may come back, and nobody speaks for it yet: {joining(Member(names.project_of(home), name))}"
    await waiting.until(api, CLUSTERS, name, home, _is_out, timeout=PATIENCE, what="the eviction by the hub")
    return (
        f"{name} is evicted: its keys, certificates and its worker's credential are revoked, and gateways that hear of "
        f"it let none of its packets in; undo with `kubeslice cluster evict {name} --undo`"
    )


def _is_out(cluster: Object | None) -> bool:
    """Tell whether the hub has shut a cluster out; one that is on its way off the hub is shut out on that way."""
    return cluster is None or objects.is_deleting(cluster) or is_shut_out(objects.status(cluster))


async def forget(api: Api, cluster: Object) -> str:
    """Shut a cluster out that is gone for good and take it off the hub; return the sentence for people."""
    name, home = objects.name(cluster), objects.namespace(cluster)
    await api.patch(CLUSTERS, name, home, {"spec": {"evicted": True}})
    slices = await slices_of(api, names.project_of(home), name)
    if slices:
        return (
            f"{name} is shut out of every slice; it is still named in spec.clusters of {', '.join(slices)}: take it "
            f"out there, then `kubeslice cluster forget {name}` again takes it off the hub"
        )
    await api.delete(CLUSTERS, name, home, uid=objects.uid(cluster))
    return f"{name} is forgotten: the hub waits for nothing from it; if it ever comes back, uninstall KubeSlice there"


def is_heard(cluster: Object) -> bool:
    """Tell whether the worker of a cluster reports."""
    return objects.is_true(cluster, REACHABLE)
