"""Slices on a stage, as their users make and unmake them: applied, waited for, asked, deleted."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from kubeslice.install import slices as removal
from kubeslice.kube import objects, waiting
from kubeslice.kube.api import Object
from kubeslice.kube.errors import NotFound
from kubeslice.model import names
from kubeslice.model.resources import SERVICEEXPORTS, SLICECONFIGS, SLICES
from kubeslice.stage import scenario
from kubeslice.stage.scenario import Tenant
from kubeslice.stage.stage import PROJECT, Stage

PATIENCE = 60.0
NAMESPACE = names.project_namespace(PROJECT)
MANAGER = "kubeslice-stage"


async def apply(stage: Stage, tenant: Tenant, more: Mapping[str, Any] = scenario.NOTHING) -> None:
    """Apply the tenant's SliceConfig, with further fields of its spec where there are any."""
    await stage.hub.apply(SLICECONFIGS, scenario.slice_config(tenant, NAMESPACE, more), manager=MANAGER)


async def export(stage: Stage, tenant: Tenant) -> None:
    """Apply the tenant's ServiceExport in its server cluster."""
    await stage.apis[tenant.server].apply(SERVICEEXPORTS, scenario.service_export(tenant), manager=MANAGER)


async def ready(stage: Stage, tenant: Tenant) -> Object:
    """Wait until the slice says Ready, with every tunnel up; return it. Raises `NotReached`."""
    slice_config = await waiting.until(
        stage.hub, SLICECONFIGS, tenant.slice_name, NAMESPACE, _is_ready, timeout=PATIENCE, what="Ready"
    )
    assert slice_config is not None
    return slice_config


async def complaint(stage: Stage, tenant: Tenant) -> str:
    """Return what the slice says is not ready; nothing when all is."""
    config = await stage.hub.get(SLICECONFIGS, tenant.slice_name, NAMESPACE)
    ready = objects.condition(config, "Ready") or {}
    told = f"{objects.status(config).get('tunnels')} tunnels, {ready.get('reason')}: {ready.get('message')}"
    return "" if _is_ready(config) else f"SliceConfig {tenant.slice_name}: {told}"


async def delete(stage: Stage, tenant: Tenant) -> None:
    """Delete the export and the slice, and wait until no cluster knows it any more."""
    with contextlib.suppress(NotFound):
        await stage.apis[tenant.server].delete(SERVICEEXPORTS, "web", tenant.namespace)
    await removal.delete(stage.hub, tenant.slice_name, NAMESPACE, PATIENCE)
    await _gone_everywhere(stage, tenant.slice_name, tenant.clusters)


async def _gone_everywhere(stage: Stage, slice_name: str, clusters: Iterable[str]) -> None:
    async with asyncio.TaskGroup() as group:
        for cluster in clusters:
            group.create_task(
                waiting.until(
                    stage.apis[cluster],
                    SLICES,
                    slice_name,
                    names.WORKER_NAMESPACE,
                    lambda obj: obj is None,
                    timeout=PATIENCE,
                    what="gone",
                )
            )


def _is_ready(obj: Object | None) -> bool:
    if obj is None or not objects.is_true(obj, "Ready"):
        return False
    up, _, wanted = str(objects.status(obj).get("tunnels") or "").partition("/")
    return bool(wanted) and up == wanted
