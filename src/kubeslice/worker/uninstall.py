"""Take KubeSlice out of a worker cluster before its manifests are deleted: `python -m kubeslice.worker.uninstall`.

Stops the operator, puts the cluster's DNS back, and removes what the operator made and the finalizers that only it
would remove. Run it while the agents still run: they unwire the pods when the Slices go.
"""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace

from kubeslice.kube import config, finalizers, objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import ApiError, NotFound
from kubeslice.kube.http import HttpApi
from kubeslice.kube.subset import owned_by
from kubeslice.model import names, resources
from kubeslice.model.resources import Resource
from kubeslice.plan.cluster import onboarding, worker_cluster
from kubeslice.plan.services import corefile
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.runtime import logs
from kubeslice.worker import enrollment, forwarding, settings
from kubeslice.worker.caches import DNS_CONFIGMAP, DNS_NAMESPACE, OPERATOR, OURS, SYSTEM
from kubeslice.worker.hubtoken import HubToken

log = logging.getLogger(__name__)

PATIENCE = 30.0
ASK_EVERY = 0.1
MADE = (
    resources.DEPLOYMENTS,
    resources.PODDISRUPTIONBUDGETS,
    resources.SERVICES,
    resources.SECRETS,
    resources.ROLEBINDINGS,
    resources.ROLES,
    resources.SERVICEACCOUNTS,
)
ON_HUB = (
    (resources.WORKERSERVICEIMPORTS, names.WORKER_SERVICE_IMPORT_FINALIZER),
    (resources.WORKERSLICEGATEWAYS, names.WORKER_SLICE_GATEWAY_FINALIZER),
    (resources.WORKERSLICECONFIGS, names.WORKER_SLICE_CONFIG_FINALIZER),
)


async def leave_cluster(own: Api) -> None:
    """Remove from the own cluster everything the operator made there."""
    await _stop_operator(own)
    await _put_dns_back(own)
    await _delete_all(own, resources.SERVICEIMPORTS, None)
    await _delete_all(own, resources.SLICEGATEWAYS, SYSTEM)
    for resource in MADE:
        await _delete_all(own, resource, SYSTEM, labels=OURS)
    for resource in (resources.RESOURCEQUOTAS, resources.NETWORKPOLICIES):
        await _delete_all(own, resource, None, labels=OURS)
    await _delete_all(own, resources.SECRETS, SYSTEM, labels=names.PROJECT_LABEL)
    for namespace in (await own.list(resources.NAMESPACES)).items:
        if owned_by(names.WORKER_MANAGER, namespace) and onboarding.is_labelled(namespace):
            await own.apply(resources.NAMESPACES, onboarding.offboarded(namespace), manager=names.WORKER_MANAGER)
    await _until(lambda: _workers_are_gone(own), "the pods of routers and gateways")
    await _delete_all(own, resources.SLICES, SYSTEM)
    for found in (await own.list(resources.SLICES, SYSTEM)).items:
        await finalizers.remove(own, resources.SLICES, found, names.SLICE_FINALIZER)


async def leave_hub(hub: Api, member: Member) -> None:
    """Take back what this cluster exports, let go of what the hub wants to delete, and say that this was all."""
    namespace = member.namespace
    await _delete_all(hub, resources.SERVICEEXPORTCONFIGS, namespace)
    for resource, finalizer in ON_HUB:
        for found in (await hub.list(resource, namespace)).items:
            await finalizers.remove(hub, resource, found, finalizer)
    home, done = names.project_namespace(member.project), {"registrationStatus": worker_cluster.DEREGISTERED}
    with suppress(NotFound):
        await hub.patch(resources.CLUSTERS, member.name, home, {"status": done}, subresource="status")


async def _stop_operator(own: Api) -> None:
    try:
        await own.patch(resources.DEPLOYMENTS, OPERATOR, SYSTEM, {"spec": {"replicas": 0}})
    except NotFound:
        return
    await _until(lambda: _operator_is_gone(own), "the operator to stop")


async def _operator_is_gone(own: Api) -> bool:
    try:
        deployment = await own.get(resources.DEPLOYMENTS, OPERATOR, SYSTEM)
    except NotFound:
        return True
    return not objects.status(deployment).get("replicas")


async def _workers_are_gone(own: Api) -> bool:
    kinds = f"{names.POD_TYPE_LABEL} in ({names.ROUTER_POD},{names.GATEWAY_POD})"
    return not (await own.list(resources.PODS, SYSTEM, labels=kinds)).items


async def _put_dns_back(own: Api) -> None:
    try:
        seen = await own.get(resources.CONFIGMAPS, DNS_CONFIGMAP, DNS_NAMESPACE)
    except NotFound:
        return
    text = forwarding.text(seen)
    if corefile.without_forward(text) != text:
        await forwarding.write(own, seen, corefile.without_forward(text))


async def _delete_all(api: Api, resource: Resource, namespace: str | None, labels: str = "") -> None:
    for found in (await api.list(resource, namespace, labels=labels)).items:
        await _delete(api, resource, found)


async def _delete(api: Api, resource: Resource, found: Object) -> None:
    try:
        await api.delete(resource, objects.name(found), objects.namespace(found) or None, uid=objects.uid(found))
    except NotFound:
        return


async def _until(holds: Callable[[], Awaitable[bool]], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not await holds():  # noqa: ASYNC110 - another process changes what we wait for
                await asyncio.sleep(ASK_EVERY)
    except TimeoutError:
        log.warning("went on without waiting longer for %s", what)


async def _run() -> int:
    chosen = settings.read()
    directory, token = chosen.hub_credentials, HubToken.mounted(chosen.hub_credentials)
    hub = HttpApi(replace(config.from_directory(directory), token=token))
    async with AsyncExitStack() as connections, HttpApi(config.in_cluster()) as own, hub:
        further = await enrollment.enroll(own, await enrollment.further(own), connections)
        await leave_cluster(own)
        for member, api in [(chosen.member, hub), *((each.member, each.api) for each in further)]:
            try:
                await leave_hub(api, member)
            except ApiError as error:
                log.warning("delete Cluster %s of %s, its hub was not told: %s", member.name, member.project, error)
    return 0


def main() -> int:
    """Uninstall from the cluster this pod runs in; return the exit status."""
    logs.configure("uninstall")
    return asyncio.run(_run())


if __name__ == "__main__":
    sys.exit(main())
