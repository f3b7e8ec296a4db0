"""`kubeslice cluster evict`: one field of a Cluster, and what that means to its owner."""

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.model import names, resources


async def evict(api: Api, cluster: Object, *, undo: bool) -> str:
    """Shut a cluster out, or let it in again; return the sentence for people."""
    name, home = objects.name(cluster), objects.namespace(cluster)
    await api.patch(resources.CLUSTERS, name, home, {"spec": {"evicted": not undo}})
    if undo:
        return (
            f"{name} is let in again: give its worker the new credential with `kubeslice install worker`, "
            f"from Secret {home}/{names.worker_account(name)} on the hub"
        )
    return (
        f"{name} is evicted: no gateway lets its packets in any more, its keys, certificates and its worker's "
        f"credential are revoked; undo with `kubeslice cluster evict {name} --undo`"
    )
