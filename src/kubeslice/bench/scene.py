"""`Scene`: two clusters with two nodes each, a slice over both, and traffic through it while something happens.

The ends of the traffic are on the first nodes, where the API servers are too, so that a second node may die.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.errors import ApiError
from kubeslice.kube.http import HttpApi
from kubeslice.model import names
from kubeslice.model.resources import DEPLOYMENTS, PODS, SERVICES
from kubeslice.stage import application, places, scenario, slices
from kubeslice.stage.application import Place
from kubeslice.stage.probes import NotMeasured
from kubeslice.stage.scenario import Tenant
from kubeslice.stage.stage import HUB, Stage, installed
from kubeslice.stage.traffic import Load, Traffic, traffic

NODES = 2
PATIENCE = 90.0
PAUSE = 0.25
LOAD = Load()
SHOW_SESSIONS = "birdc -r -s $(ls -t /tmp/kubeslice-router-*/bird.ctl | head -1) show protocols"


@dataclass(frozen=True)
class Scene:
    """A stage with one tenant, whose traffic runs between the first two of its clusters."""

    stage: Stage
    tenant: Tenant
    traffic: Traffic
    planes: int

    def cluster(self, number: int) -> str:
        """Return one of the two clusters that talk, by turns."""
        return self.tenant.clusters[number % 2]

    async def pods(self, cluster: str, kind: str) -> list[Object]:
        """Return the pods of the slice that are gateways or routers, by name."""
        selector = f"{names.SLICE_LABEL}={self.tenant.slice_name},{names.POD_TYPE_LABEL}={kind}"
        found = await self.stage.apis[cluster].list(PODS, names.WORKER_NAMESPACE, labels=selector)
        return sorted(found.items, key=objects.name)

    async def tunnel_ports(self, plane: int) -> set[int]:
        """Return the ports of nodes at which the gateways of a plane are called."""
        name = names.gateway_deployment(self.tenant.slice_name, plane)
        ports: set[int] = set()
        for cluster in self.tenant.clusters[:2]:
            service = await self.stage.apis[cluster].get(SERVICES, name, names.WORKER_NAMESPACE)
            ports |= {int(port["nodePort"]) for port in service["spec"]["ports"]}
        return ports

    async def recovered(self, patience: float = PATIENCE) -> None:
        """Wait until everything is as before: pods, tunnels, routing, traffic. Raises `NotMeasured`."""
        deadline = time.monotonic() + patience
        while wrong := await self._wrong():
            if time.monotonic() > deadline:
                raise NotMeasured(f"not as before after {patience:g} s: {wrong}")
            await asyncio.sleep(PAUSE)
        await self.traffic.quiet()

    async def _wrong(self) -> str:
        try:
            async with asyncio.timeout(10):
                homes = dict.fromkeys(self.tenant.clusters, names.WORKER_NAMESPACE) | {HUB: names.HUB_NAMESPACE}
                for cluster, namespace in homes.items():
                    if wrong := await _unready(self.stage.apis[cluster], namespace):
                        return f"{wrong} in {cluster}"
                if wrong := await slices.complaint(self.stage, self.tenant):
                    return wrong
                # Last, because a question wakes BIRD, which then does what it would have done later.
                for cluster in self.tenant.clusters:
                    if wrong := await self._unrouted(cluster):
                        return f"{wrong} in {cluster}"
        except (ApiError, OSError, TimeoutError) as error:
            return str(error) or type(error).__name__
        return ""

    async def _unrouted(self, cluster: str) -> str:
        """Return what a router says of a session that is not up."""
        for pod in await self.pods(cluster, names.ROUTER_POD):
            at = f"{cluster}/{names.WORKER_NAMESPACE}/{objects.name(pod)}"
            shown = await places.run(at, ["sh", "-c", SHOW_SESSIONS])
            down = [
                line for line in shown.stdout.decode().splitlines() if " BGP " in line and "Established" not in line
            ]
            if shown.status or down:
                return f"{objects.name(pod)}: {down[0] if down else shown.stderr.decode().strip()}"
        return ""


async def _unready(api: HttpApi, namespace: str) -> str:
    """Return a workload of KubeSlice that is not ready, or a pod that is still on its way."""
    for deployment in (await api.list(DEPLOYMENTS, namespace)).items:
        status = objects.status(deployment)
        if status.get("readyReplicas", 0) != deployment["spec"].get("replicas", 1):
            return f"Deployment {objects.name(deployment)} is not ready"
    for pod in (await api.list(PODS, namespace)).items:
        if objects.is_deleting(pod) or not objects.is_true(pod, "Ready"):
            return f"pod {objects.name(pod)} is not ready"
    return ""


@asynccontextmanager
async def scene(
    more: Mapping[str, Any] = scenario.NOTHING, workers: int = 2, load: Load = LOAD
) -> AsyncIterator[Scene]:
    """Bring everything up, and yield it when the traffic flows; `more` are further fields of the SliceConfig's spec."""
    async with installed(workers, NODES) as stage:
        tenant = Tenant("red", "shop", tuple(stage.workers), stage.workers[1])
        await application.create_namespaces(stage.apis, tenant)
        await slices.apply(stage, tenant, more)
        first, second = await ends(stage, tenant, tenant.clusters[:2])
        config = await slices.ready(stage, tenant)
        async with traffic(first, second, load) as running:
            found = Scene(stage, tenant, running, int(config["spec"].get("gatewayReplicas") or 1))
            await found.recovered()
            yield found


async def ends(stage: Stage, tenant: Tenant, clusters: tuple[str, ...]) -> list[Place]:
    """Run a pod for measured traffic on the first node of some clusters."""
    return await application.meters(
        stage.apis, tenant, {cluster: stage.cluster(cluster).nodes[0].name for cluster in clusters}
    )
