"""Applying a list of manifests in the order that makes them usable: CRDs are established before what needs them."""

import asyncio
from collections.abc import Iterable

from kubeslice.kube import objects, waiting
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import NotFound
from kubeslice.model import resources
from kubeslice.model.resources import CRDS, DAEMONSETS, DEPLOYMENTS, Resource

INSTALLER = "kubeslice-install"
ESTABLISH_TIMEOUT = 30.0


async def apply_all(api: Api, manifests: Iterable[Object]) -> None:
    """Apply manifests in their order; wait for each CRD to be established before the first object after it."""
    pending: list[str] = []
    for manifest in manifests:
        resource = _resource(manifest)
        if resource != CRDS:
            await _established(api, pending)
            pending = []
        await api.apply(resource, manifest, manager=INSTALLER)
        if resource == CRDS:
            pending.append(objects.name(manifest))
    await _established(api, pending)


async def delete_all(api: Api, manifests: Iterable[Object]) -> None:
    """Delete manifests in reverse order; what is gone already is fine."""
    for manifest in reversed(list(manifests)):
        try:
            await api.delete(_resource(manifest), objects.name(manifest), objects.namespace(manifest) or None)
        except NotFound:
            continue


async def rolled_out(api: Api, resource: Resource, name: str, namespace: str, *, seconds: float) -> None:
    """Wait until a Deployment or DaemonSet has all its pods ready. Raises `waiting.NotReached`."""
    complete = _daemonset_complete if resource == DAEMONSETS else _deployment_complete
    await waiting.until(api, resource, name, namespace, complete, timeout=seconds, what="all pods ready")


async def workloads_ready(api: Api, manifests: Iterable[Object], *, seconds: float) -> None:
    """Wait until every Deployment and DaemonSet among `manifests` has all its pods ready."""
    async with asyncio.TaskGroup() as group:
        for manifest in manifests:
            resource = _resource(manifest)
            if resource in (DEPLOYMENTS, DAEMONSETS):
                name, namespace = objects.name(manifest), objects.namespace(manifest)
                group.create_task(rolled_out(api, resource, name, namespace, seconds=seconds))


def _resource(manifest: Object) -> Resource:
    return resources.of(manifest["apiVersion"], manifest["kind"])


async def _established(api: Api, crds: list[str]) -> None:
    for name in crds:
        await waiting.until(
            api,
            CRDS,
            name,
            None,
            lambda obj: obj is not None and objects.is_true(obj, "Established"),
            timeout=ESTABLISH_TIMEOUT,
            what="Established",
        )


def _is_observed(obj: Object) -> bool:
    return int(objects.status(obj).get("observedGeneration") or 0) >= int(obj["metadata"].get("generation") or 0)


def _deployment_complete(obj: Object | None) -> bool:
    if obj is None or not _is_observed(obj):
        return False
    status, wanted = objects.status(obj), int(objects.spec(obj).get("replicas", 1))
    return int(status.get("updatedReplicas") or 0) >= wanted and int(status.get("availableReplicas") or 0) >= wanted


def _daemonset_complete(obj: Object | None) -> bool:
    if obj is None or not _is_observed(obj):
        return False
    status = objects.status(obj)
    wanted = int(status.get("desiredNumberScheduled") or 0)
    return wanted > 0 and int(status.get("numberReady") or 0) >= wanted
