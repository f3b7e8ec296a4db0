"""API servers that the environment gives: which they are, and how a test leaves them as it found them.

A given server outlives the run, so the fixtures of hub, worker and webhook tidy up; an embedded one is thrown away.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from kubeslice.kube import objects
from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.errors import Conflict, NotFound
from kubeslice.kube.http import HttpApi
from kubeslice.kube.requests import Request, path
from kubeslice.lab.controllers.namespaces import finalization
from kubeslice.model import resources as r
from kubeslice.model.resources import Resource

VARIABLES = ("KUBESLICE_TEST_KUBECONFIG", "KUBESLICE_TEST_KUBECONFIG_2")
NAMESPACED = tuple(kind for kind in vars(r).values() if isinstance(kind, Resource) and kind.namespaced)
# In the order of removal: what refuses or hinders the removal of the rest goes first.
CLUSTER_WIDE = (
    r.VALIDATINGADMISSIONPOLICYBINDINGS,
    r.VALIDATINGADMISSIONPOLICIES,
    r.MUTATINGWEBHOOKS,
    r.VALIDATINGWEBHOOKS,
    r.NAMESPACES,
    r.NODES,
    r.CLUSTERROLEBINDINGS,
    r.CLUSTERROLES,
)
IN_SYSTEM = (r.CONFIGMAPS, r.SERVICES)
SYSTEM = "kube-system"
Names = dict[Resource, set[str]]


def kubeconfigs() -> list[Path]:
    """Return the kubeconfigs that the environment names: none, the first, or both."""
    return [Path(os.environ[name]) for name in VARIABLES if os.environ.get(name)]


@contextmanager
def run_left_as_found(kubeconfig: Path) -> Iterator[None]:
    """Remove what the whole run added to a server, its definitions of kinds too."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        before = runner.run(_with(kubeconfig, (r.CRDS, *CLUSTER_WIDE), None))
        yield
        runner.run(_with(kubeconfig, (*CLUSTER_WIDE, r.CRDS), before))


async def _with(kubeconfig: Path, kinds: Iterable[Resource], before: Names | None) -> Names:
    async with HttpApi(from_kubeconfig(kubeconfig)) as api:
        if before is not None:
            await _sweep(api, kinds, before)
        return await _names(api, kinds)


@asynccontextmanager
async def left_as_found(api: HttpApi) -> AsyncIterator[None]:
    """Remove what is added to a server meanwhile, except definitions of kinds: these are the same for all tests."""
    before = await _names(api, CLUSTER_WIDE)
    try:
        yield
    finally:
        await _sweep(api, CLUSTER_WIDE, before)


def _place(kind: Resource) -> str | None:
    return SYSTEM if kind.namespaced else None


async def _names(api: HttpApi, kinds: Iterable[Resource]) -> Names:
    return {
        kind: {objects.name(obj) for obj in (await api.list(kind, _place(kind))).items} for kind in (*kinds, *IN_SYSTEM)
    }


async def _sweep(api: HttpApi, kinds: Iterable[Resource], before: Names) -> None:
    for kind in (*kinds, *IN_SYSTEM):
        added = (await _names(api, (kind,)))[kind] - before[kind]
        for name in added:
            if kind == r.NAMESPACES:
                await _end(api, name)
                continue
            with contextlib.suppress(NotFound):
                await api.delete(kind, name, _place(kind))
        await _until_gone(api, kind, added)


async def _end(api: HttpApi, namespace: str) -> None:
    """End a namespace at once: its controller waits 5 s, and for ever for finalizers of ours and pods of no kubelet."""
    with contextlib.suppress(NotFound):
        await api.delete(r.NAMESPACES, namespace)
        await asyncio.gather(*(_empty(api, kind, namespace) for kind in NAMESPACED))
        going = await api.get(r.NAMESPACES, namespace)
        with contextlib.suppress(Conflict):
            await api.send(finalization(going | {"spec": {"finalizers": []}}))


async def _empty(api: HttpApi, kind: Resource, namespace: str) -> None:
    with contextlib.suppress(NotFound):
        for obj in (await api.list(kind, namespace)).items:
            if objects.finalizers(obj):
                await api.patch(kind, objects.name(obj), namespace, {"metadata": {"finalizers": None}})
        await api.send(Request("DELETE", f"{path(kind, namespace)}?gracePeriodSeconds=0"))


async def _until_gone(api: HttpApi, kind: Resource, names: set[str]) -> None:
    deadline = time.monotonic() + 60
    while left := names & (await _names(api, (kind,)))[kind]:
        assert time.monotonic() < deadline, f"{kind.plural} {', '.join(sorted(left))} do not go away"
        await asyncio.sleep(0.05)
