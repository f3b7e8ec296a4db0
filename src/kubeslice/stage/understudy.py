"""A worker operator's part on the hub, played without a cluster behind it: for benches and tests of the hub.

It follows the hub as a worker does (`worker.caches.HubCaches`, with a worker's credential), holds what it uses with
finalizers, makes keys for its gateways, reports tunnels as up once both ends know their keys, and lets go of what the
hub takes away. What gateways, pods and nodes would say is made up.
"""

import asyncio
import contextlib
import random
from ipaddress import IPv4Network

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import ApiError
from kubeslice.model import names
from kubeslice.model.resources import CLUSTERS, SERVICEEXPORTCONFIGS
from kubeslice.plan import findings
from kubeslice.plan.cluster import worker_cluster
from kubeslice.plan.cluster.localnames import LocalNames
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.runtime.clock import SystemClock
from kubeslice.runtime.controller import Controller, Reconciler
from kubeslice.runtime.metrics import CollectorRegistry, ControllerMetrics
from kubeslice.runtime.reporting import Reporter
from kubeslice.runtime.resting import rest
from kubeslice.stage import understudy_parts
from kubeslice.stage.understudy_parts import Configs, Imports, Pairs
from kubeslice.worker.hubcaches import HubCaches
from kubeslice.worker.registration import HEARTBEAT

SERVICE = "web"
# Which address of the cluster's subnet the pod behind a service has.
POD = 40


class Understudy:
    """Plays the worker of one cluster over `hub`, which has that worker's credential; `number` makes up addresses."""

    def __init__(self, hub: Api, member: Member, number: int = 1) -> None:
        self.member = member
        self.caches = HubCaches(hub, member, LocalNames(member.project))
        self._hub = hub
        self._leaving = asyncio.Event()
        self._number = number
        self._reporter = Reporter(hub, names.WORKER_MANAGER, None, SystemClock())

    @property
    def address(self) -> str:
        """Return the made up address of the cluster's node."""
        return f"198.18.{self._number // 256}.{self._number % 256}"

    async def run(self) -> None:
        """Play until cancelled."""
        caches, sources = self.caches, understudy_parts.sources(self.caches)
        parts: dict[str, Reconciler] = {
            "configs": Configs(self._hub, self._reporter, caches, self.address),
            "pairs": Pairs(self._hub, self._reporter, caches),
            "imports": Imports(self._hub, self._reporter, caches),
        }
        metrics = ControllerMetrics(CollectorRegistry())
        async with asyncio.TaskGroup() as group:
            for informer in [*caches.informers, caches.secrets]:
                group.create_task(informer.run(), name=f"follow-{informer.resource.plural}")
            for name, part in parts.items():
                controller = Controller(name, part, sources[name], metrics=metrics)
                group.create_task(controller.run(), name=name)
            group.create_task(self._beat(), name="heartbeat")

    async def _beat(self) -> None:
        await asyncio.sleep(random.uniform(0, 0.5))  # noqa: S311 - workers do not start in step
        for informer in (self.caches.cluster, self.caches.configs, self.caches.gateways, self.caches.imports):
            informer.subscribe(self._changed)
        while True:
            self._leaving.clear()
            with contextlib.suppress(ApiError):
                await self.beat()
            await rest(HEARTBEAT, self._leaving)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        # A hub that wants to forget the cluster waits for its word: when it says so, and when the last is gone.
        is_news = new is None or (new["kind"] == CLUSTERS.kind and not (old and objects.is_deleting(old)))
        if self.caches.is_leaving and is_news:
            self._leaving.set()

    async def beat(self) -> None:
        """Report on the cluster once."""
        now = self._reporter.now()
        parts = worker_cluster.component_health(None, {}, {"node": self.address})
        found = [worker_cluster.registered(), worker_cluster.connection(parts)]
        seen = self.caches.cluster.items()
        before = objects.status(seen[0]) if seen else {}
        status = {
            "registrationStatus": worker_cluster.registration(seen[0], self._held()) if seen else "Registered",
            "nodeIPs": [self.address],
            "cniSubnet": ["192.168.0.0/16"],
            "networkPresent": True,
            "clusterHealth": worker_cluster.cluster_health(parts, before.get("clusterHealth") or {}, now),
            "heartbeatTime": now,
            "conditions": findings.conditions_after(before.get("conditions") or [], found, 1, now),
        }
        home = names.project_namespace(self.member.project)
        report = {"metadata": {"name": self.member.name, "namespace": home}, "status": status}
        await self._hub.apply(CLUSTERS, report, manager=names.WORKER_MANAGER, subresource="status")

    def _held(self) -> list[str]:
        kinds = (self.caches.configs, self.caches.gateways, self.caches.imports)
        return [objects.name(obj) for informer in kinds for obj in informer.items()]

    async def export(self, slice_name: str, service: str = SERVICE) -> None:
        """Offer a service of one pod on a slice, in a namespace called like it, once the cluster is on the slice."""
        address = str((await self._subnet(slice_name))[POD])
        name = names.service_export_config(service, slice_name, self.member.name)
        labels = {
            names.CLUSTER_LABEL: self.member.name,
            names.ORIGINAL_SLICE_LABEL: slice_name,
            names.SERVICE_NAME_LABEL: service,
            names.SERVICE_NAMESPACE_LABEL: slice_name,
        }
        spec = {
            "sliceName": slice_name,
            "sourceCluster": self.member.name,
            "serviceName": service,
            "serviceNamespace": slice_name,
            "serviceDiscoveryEndpoints": [
                {"cluster": self.member.name, "podName": f"{service}-0", "nsmIp": address, "port": 80}
            ],
            "serviceDiscoveryPorts": [{"name": "http", "port": 80, "protocol": "TCP"}],
        }
        metadata = {"name": name, "namespace": self.member.namespace, "labels": labels}
        await self._hub.apply(SERVICEEXPORTCONFIGS, {"metadata": metadata, "spec": spec}, manager=names.WORKER_MANAGER)

    async def _subnet(self, slice_name: str) -> IPv4Network:
        while True:
            config = self.caches.config(slice_name)
            if config is not None and objects.spec(config).get("clusterSubnetCIDR"):
                return IPv4Network(objects.spec(config)["clusterSubnetCIDR"])
            await asyncio.sleep(0.1)

    async def withdraw(self, slice_name: str, service: str = SERVICE) -> None:
        """Take an offered service back."""
        name = names.service_export_config(service, slice_name, self.member.name)
        await self._hub.delete(SERVICEEXPORTCONFIGS, name, self.member.namespace)
