"""An operator between two clusters. Tests play the hub, the kubelet and the agent."""

import asyncio
import contextlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.errors import AlreadyExists, NotFound
from kubeslice.kube.http import HttpApi
from kubeslice.model import names, resources
from kubeslice.plan.cluster.localnames import LocalNames
from kubeslice.runtime.metrics import CollectorRegistry, ControllerMetrics
from kubeslice.worker.enrollment import Enrollment
from kubeslice.worker.hubtoken import HubToken
from kubeslice.worker.operator import Operator
from kubeslice.worker.settings import Settings
from tests.worker.clusters import CLUSTER, OWN_ON_HUB, SYSTEM

Object = dict[str, Any]


@dataclass
class Stage:
    """The two clusters, and what the hub, kubelets and agents would do in them."""

    hub: HttpApi
    own: HttpApi
    settings: Settings
    token: HubToken
    operator: Operator | None = None
    _task: asyncio.Task[None] | None = None

    async def start(self, hub: HttpApi | None = None) -> None:
        registry = CollectorRegistry()
        metrics = ControllerMetrics(registry)
        member = self.settings.member
        first = Enrollment(member, hub or self.hub, self.token, LocalNames(member.project))
        self.operator = Operator(self.own, first, self.settings, metrics, registry)
        self._task = asyncio.create_task(self.operator.run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def slice(self, name: str = "red", **spec: Any) -> None:
        base = {
            "sliceName": name,
            "sliceSubnet": "10.1.0.0/16",
            "clusterSubnetCIDR": "10.1.64.0/18",
            "octet": 1,
            "gatewayReplicas": 1,
            "namespaceIsolationProfile": {"applicationNamespaces": ["shop"]},
        }
        metadata = {"name": f"{name}-{CLUSTER}", "namespace": OWN_ON_HUB}
        await self.hub.apply(
            resources.WORKERSLICECONFIGS, {"metadata": metadata, "spec": base | spec}, manager=names.HUB_MANAGER
        )

    async def gateway(self, slice_name: str = "red", remote: str = "worker-1", *, key: str = "remote-key") -> None:
        planes = [{"plane": 0, "publicKey": key, "endpoints": ["172.31.1.11:30001"]}] if key else []
        spec = {
            "sliceName": slice_name,
            "gatewayNumber": 0,
            "localGatewayConfig": {"clusterName": CLUSTER, "gatewaySubnet": "10.1.64.0/18"},
            "remoteGatewayConfig": {"clusterName": remote, "gatewaySubnet": "10.1.0.0/18", "planes": planes},
        }
        metadata = {"name": names.slice_gateway(slice_name, CLUSTER, remote), "namespace": OWN_ON_HUB}
        await self.hub.apply(
            resources.WORKERSLICEGATEWAYS, {"metadata": metadata, "spec": spec}, manager=names.HUB_MANAGER
        )

    async def offer(self, slice_name: str = "red", namespace: str = "shop", *pods: tuple[str, str, str]) -> None:
        spec = {
            "serviceName": "web",
            "serviceNamespace": namespace,
            "sliceName": slice_name,
            "sourceClusters": sorted({cluster for _, cluster, _ in pods}),
            "serviceDiscoveryEndpoints": [
                {"podName": pod, "cluster": cluster, "nsmIp": address, "port": 8080} for pod, cluster, address in pods
            ],
            "serviceDiscoveryPorts": [{"name": "http", "port": 8080, "protocol": "TCP", "servicePort": 80}],
        }
        name = names.worker_service_import("web", namespace, slice_name, CLUSTER)
        await self.hub.apply(
            resources.WORKERSERVICEIMPORTS,
            {"metadata": {"name": name, "namespace": OWN_ON_HUB}, "spec": spec},
            manager=names.HUB_MANAGER,
        )

    async def export(self, namespace: str = "shop", **spec: Any) -> None:
        base = {
            "slice": "red",
            "selector": {"matchLabels": {"app": "web"}},
            "ports": [{"name": "http", "containerPort": 8080, "servicePort": 80}],
        }
        await self.own.create(
            resources.SERVICEEXPORTS, {"metadata": {"name": "web", "namespace": namespace}, "spec": base | spec}
        )

    async def pod(
        self,
        name: str,
        namespace: str,
        labels: dict[str, str],
        *,
        slice_name: str = "red",
        address: str = "10.1.64.70",
        ready: bool = True,
        node: str = "node-1",
    ) -> None:
        """Play kubelet and agent: a pod that runs and has an address on the slice."""
        network = [{"name": f"{SYSTEM}/{slice_name}", "interface": "ks0", "ips": [address]}]
        pod = {
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": {names.SLICE_LABEL: slice_name, **labels},
                "annotations": {names.NETWORK_STATUS_ANNOTATION: json.dumps(network)},
            },
            "spec": {"nodeName": node, "containers": [{"name": "c", "image": "busybox"}]},
        }
        with contextlib.suppress(AlreadyExists):
            account = {"metadata": {"name": "default", "namespace": namespace}}
            await self.own.create(resources.SERVICEACCOUNTS, account)
        await self.own.create(resources.PODS, pod)
        await self.readiness(name, namespace, ready=ready)

    async def readiness(self, name: str, namespace: str, *, ready: bool) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        conditions = [{"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": now}]
        status = {"phase": "Running", "podIP": "10.244.1.9", "conditions": conditions}
        await self.own.patch(resources.PODS, name, namespace, {"status": status}, subresource="status")

    async def agents(self, ready: int = 1, *, wanted: int = 2) -> None:
        """Play the agents' DaemonSet: so many run."""
        spec = {
            "selector": {"matchLabels": {"app": "agent"}},
            "template": {
                "metadata": {"labels": {"app": "agent"}},
                "spec": {"containers": [{"name": "agent", "image": "kubeslice/kubeslice:1"}]},
            },
        }
        obj = {"metadata": {"name": "kubeslice-agent", "namespace": SYSTEM}, "spec": spec}
        await self.own.apply(resources.DAEMONSETS, obj, manager="test")
        counts = {"desiredNumberScheduled": wanted, "currentNumberScheduled": wanted, "numberMisscheduled": 0}
        status = {"status": counts | {"numberReady": ready}}
        await self.own.patch(resources.DAEMONSETS, "kubeslice-agent", SYSTEM, status, subresource="status")

    async def workers(self, slice_name: str = "red") -> None:
        """Play the pods of routers and gateway."""
        for number in range(names.ROUTERS):
            router = {names.POD_TYPE_LABEL: names.ROUTER_POD, names.ROUTER_LABEL: str(number)}
            await self.pod(f"router-{number}", SYSTEM, router, slice_name=slice_name)
        labels = {names.POD_TYPE_LABEL: names.GATEWAY_POD, names.PLANE_LABEL: "0"}
        await self.pod("gateway-1", SYSTEM, labels, slice_name=slice_name, address="10.1.64.8")

    async def kill(self, *pods: str, namespace: str = SYSTEM) -> None:
        for name in pods:
            await self.own.delete(resources.PODS, name, namespace, grace_seconds=0)

    async def tunnel(
        self, state: str = "UP", *, name: str = f"red-{CLUSTER}-worker-1", plane: int = 0, **figures: Any
    ) -> None:
        """Play the gateway process that reports on its tunnel."""
        entry = {"plane": plane, "podName": "gateway-1", "state": state, "since": "2030-01-01T00:00:00Z"}
        await self.own.apply(
            resources.SLICEGATEWAYS,
            {"metadata": {"name": name, "namespace": SYSTEM}, "status": {"planes": [entry | figures]}},
            manager=names.gateway_manager(plane),
            subresource="status",
        )

    async def own_object(self, resource: resources.Resource, name: str, namespace: str | None = SYSTEM) -> Any:
        return await _found(self.own, resource, name, namespace)

    async def hub_object(self, resource: resources.Resource, name: str, namespace: str = OWN_ON_HUB) -> Any:
        return await _found(self.hub, resource, name, namespace)

    async def ready(self, resource: resources.Resource, name: str, namespace: str | None = SYSTEM) -> tuple[str, str]:
        """Return status and message of an own object's Ready condition."""
        found = await self.own_object(resource, name, namespace)
        condition = objects.condition(found, "Ready") if found else None
        return (condition["status"], condition["message"]) if condition else ("", "")


async def _found(api: HttpApi, resource: resources.Resource, name: str, namespace: str | None) -> Any:
    try:
        return await api.get(resource, name, namespace)
    except NotFound:
        return None
