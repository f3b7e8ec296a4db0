"""Taking a slice away in the order that the hub asks for: its namespaces first, then the slice itself.

Called by `kubeslice slice delete` and by stages.
"""

import asyncio

from kubeslice.kube import waiting
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
    await waiting.until(hub, SLICECONFIGS, name, namespace, lambda obj: obj is None, timeout=patience, what="gone")


async def _is_deleted(hub: Api, name: str, namespace: str) -> bool:
    try:
        await hub.delete(SLICECONFIGS, name, namespace)
    except Invalid:
        return False
    return True
