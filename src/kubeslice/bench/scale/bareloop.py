"""The baseline: the writes of hub and workers again, by a loop that does nothing else, on the same API server.

It runs when hub and workers have ended, with the objects that they left, in a namespace of its own.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import chain, zip_longest

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.http import MAX_CONNECTIONS, HttpApi
from kubeslice.kube.subset import owned_by
from kubeslice.model import names
from kubeslice.model.resources import (
    NAMESPACES,
    SECRETS,
    WORKERSERVICEIMPORTS,
    WORKERSLICECONFIGS,
    WORKERSLICEGATEWAYS,
    Resource,
)

NAMESPACE = "kubeslice-bare"
MOST_OF_A_KIND = 1000
Write = Callable[[], Awaitable[object]]


async def rate(admin: HttpApi) -> float:
    """Return how many of the same writes the server takes in a second."""
    await admin.apply(NAMESPACES, {"metadata": {"name": NAMESPACE}}, manager=names.HUB_MANAGER)
    histories = [
        list(_history(admin, resource, obj, number)) for number, (resource, obj) in enumerate(await _found(admin))
    ]
    gate = asyncio.Semaphore(MAX_CONNECTIONS)
    started = time.monotonic()
    await asyncio.gather(*(_run(history, gate) for history in histories))
    return sum(map(len, histories)) / (time.monotonic() - started)


async def _found(admin: HttpApi) -> list[tuple[Resource, Object]]:
    """Return objects of each kind in turn, so that a mix is written at any time."""
    kinds = []
    for resource in (WORKERSLICECONFIGS, WORKERSLICEGATEWAYS, WORKERSERVICEIMPORTS, SECRETS):
        found = (await admin.list(resource, labels=names.ORIGINAL_SLICE_LABEL)).items
        kinds.append([(resource, obj) for obj in _spread(found)])
    return [entry for entry in chain.from_iterable(zip_longest(*kinds)) if entry]


def _spread(found: list[Object]) -> list[Object]:
    return found[:: max(1, len(found) // MOST_OF_A_KIND)]


def _history(admin: HttpApi, resource: Resource, obj: Object, number: int) -> Iterator[Write]:
    """Yield the writes that brought an object to where it is."""
    name = {"name": f"{number}-{objects.name(obj)}", "namespace": NAMESPACE}
    born_held, held = _owns_finalizers(obj), {"finalizers": objects.finalizers(obj)}
    fresh = {"metadata": {**name, "labels": objects.labels(obj), **(held if born_held else {})}}
    if resource is SECRETS:
        yield lambda: admin.create(resource, {**fresh, "type": obj["type"], "data": obj["data"]})
        return
    yield lambda: admin.apply(resource, {**fresh, "spec": obj["spec"]}, manager=names.HUB_MANAGER)
    if objects.finalizers(obj) and not born_held:
        yield lambda: admin.patch(resource, name["name"], NAMESPACE, {"metadata": held})
    if objects.status(obj):
        told = {"metadata": name, "status": obj["status"]}
        yield lambda: admin.apply(resource, told, manager=names.WORKER_MANAGER, subresource="status")


def _owns_finalizers(obj: Object) -> bool:
    """Tell whether the hub wrote the finalizers with the object itself."""
    return "f:finalizers" in owned_by(names.HUB_MANAGER, obj).get("f:metadata", {})


async def _run(history: Iterable[Write], gate: asyncio.Semaphore) -> None:
    for write in history:
        async with gate:
            await write()
