"""The application of a tenant on a running stage: deploying it, asking it, finding its pods."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from kubeslice.install.applying import apply_all, rolled_out
from kubeslice.kube import objects, waiting
from kubeslice.kube.api import Object
from kubeslice.kube.http import HttpApi
from kubeslice.model.names import OVERLAY_ADDRESS_LABEL
from kubeslice.model.resources import DEPLOYMENTS, NAMESPACES, PODS
from kubeslice.stage import places, scenario
from kubeslice.stage.places import Output
from kubeslice.stage.scenario import Tenant

PATIENCE = 30.0
# Short, because a lost SYN is only sent again after a second.
ATTEMPT = 0.3
# Every attempt starts a program; more of them would take the processors from what is waited for.
PAUSE = 0.05


@dataclass(frozen=True)
class Place:
    """A pod, by what `lab exec` calls it, and its address on the slice."""

    target: str
    address: str
    node: str

    async def run(self, *command: str) -> Output:
        """Run a program in the pod."""
        return await places.run(self.target, command)


async def create_namespaces(apis: dict[str, HttpApi], tenant: Tenant) -> None:
    """Create the tenant's namespace in its clusters."""
    for cluster in tenant.clusters:
        await apis[cluster].apply(NAMESPACES, scenario.namespace(tenant.namespace), manager="kubeslice-stage")


async def deploy(apis: dict[str, HttpApi], tenant: Tenant) -> None:
    """Run the tenant's web server in its server cluster and a client in every cluster; wait until they are ready."""
    await create_namespaces(apis, tenant)
    async with asyncio.TaskGroup() as group:
        for cluster in tenant.clusters:
            group.create_task(_deploy_in(apis[cluster], tenant, cluster))


async def _deploy_in(api: HttpApi, tenant: Tenant, cluster: str) -> None:
    workloads = [scenario.client(tenant)]
    if cluster == tenant.server:
        workloads.append(scenario.web(tenant))
    await apply_all(api, workloads)
    for workload in workloads:
        await rolled_out(api, DEPLOYMENTS, objects.name(workload), tenant.namespace, seconds=PATIENCE)


async def meters(apis: dict[str, HttpApi], tenant: Tenant, nodes: Mapping[str, str]) -> list[Place]:
    """Run a pod for measured traffic on one node of each of some clusters; return them once they are on the slice."""
    for cluster, node in nodes.items():
        await apply_all(apis[cluster], [scenario.meter(tenant, node)])
    for cluster in nodes:
        await rolled_out(apis[cluster], DEPLOYMENTS, "meter", tenant.namespace, seconds=PATIENCE)
    return [await place(apis[cluster], tenant, cluster, "meter") for cluster in nodes]


async def place(api: HttpApi, tenant: Tenant, cluster: str, app: str) -> Place:
    """Return the running pod of `app` ("web" or "client") in a cluster, once it is on the slice."""
    listing = await api.list(PODS, tenant.namespace, labels=f"app={app}")
    running = [pod for pod in listing.items if not objects.is_deleting(pod)]
    if not running:
        raise waiting.NotReached(f"no pod {app} runs in {cluster}/{tenant.namespace}")
    name = objects.name(running[0])
    pod = await waiting.until(
        api, PODS, name, tenant.namespace, _is_attached, timeout=PATIENCE, what="an address on the slice"
    )
    assert pod is not None
    address = objects.labels(pod)[OVERLAY_ADDRESS_LABEL]
    return Place(f"{cluster}/{tenant.namespace}/{name}", address, str(pod["spec"]["nodeName"]))


def _is_attached(pod: Object | None) -> bool:
    return pod is not None and OVERLAY_ADDRESS_LABEL in objects.labels(pod)


async def ask(client: Place, url: str, *, seconds: float = 1.0) -> Output:
    """Request a URL once from a pod."""
    return await client.run("curl", "-sS", "-m", f"{seconds:g}", url)


async def answered(client: Place, url: str, *, timeout: float = PATIENCE) -> str:  # noqa: ASYNC109
    """Request a URL again and again until it answers; return the page. Raises `NotReached`."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        output = await ask(client, url, seconds=ATTEMPT)
        if output.status == 0:
            return output.stdout.decode()
        await asyncio.sleep(PAUSE)
    raise waiting.NotReached(f"{url} was not answered in {timeout:g} s: {output.stderr.decode().strip()}")
