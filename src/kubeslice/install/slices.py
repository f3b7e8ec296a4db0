"""Taking a slice away in the order that the hub asks for: its namespaces first, then the slice itself.

Called by `kubeslice slice delete` and by stages.
"""

import asyncio

from kubeslice.kube import objects, waiting
from kubeslice.kube.api import Api, Object
from kubeslice.kube.backoff import Backoff
from kubeslice.kube.errors import Invalid, NotFound
from kubeslice.model.resources import SLICECONFIGS

PATIENCE = 60.0
LET_GO: Object = {"spec": {"namespaceIsolationProfile": {"applicationNamespaces": []}}}


async def delete(hub: Api, name: str, namespace: str, patience: float = PATIENCE) -> None:
    """Take a slice's namespaces out, delete it, and wait until every worker has let go of it.

    What is still exported on it ends with the namespaces, a moment later: until then the hub refuses. Raises `Invalid`
    with what is in the way when that stays, `NotReached` when workers do not clean up in time.
    """
    backoff = Backoff()
    try:
        await hub.patch(SLICECONFIGS, name, namespace, LET_GO)
        async with asyncio.timeout(patience / 2):
            while True:
                if await _is_deleted(hub, name, namespace):
                    break
                await asyncio.sleep(backoff.next())
    except NotFound:
        return
    except TimeoutError:
        await hub.delete(SLICECONFIGS, name, namespace)
    last: Object | None = None

    def is_gone(obj: Object | None) -> bool:
        nonlocal last
        last = obj
        return obj is None

    try:
        await waiting.until(hub, SLICECONFIGS, name, namespace, is_gone, timeout=patience)
    except waiting.NotReached as error:
        why = (objects.condition(last or {}, "Ready") or {}).get("message", "nobody says why")
        raise waiting.NotReached(f"slice {name} is on its way out and was not gone in {patience:g} s: {why}") from error


async def _is_deleted(hub: Api, name: str, namespace: str) -> bool:
    try:
        await hub.delete(SLICECONFIGS, name, namespace)
    except Invalid:
        return False
    return True
