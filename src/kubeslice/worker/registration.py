"""The cluster's own line on the hub of a project: the status of its Cluster, with a heartbeat.

The operator runs one for each project, for as long as it leads.
"""

import asyncio
import logging

from kubeslice import __version__
from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.backoff import Backoff
from kubeslice.kube.errors import ApiError, Unauthorized
from kubeslice.model import names
from kubeslice.model.cluster import Cluster, ClusterNamespace
from kubeslice.model.resources import CLUSTERS
from kubeslice.plan import findings
from kubeslice.plan.cluster import localnames, worker_cluster
from kubeslice.runtime.reporting import Reporter
from kubeslice.runtime.resting import rest
from kubeslice.runtime.sources import intent
from kubeslice.worker import notices
from kubeslice.worker.caches import SYSTEM, Caches
from kubeslice.worker.leaving import Leaving
from kubeslice.worker.membership import Membership
from kubeslice.worker.metrics import WorkerMetrics
from kubeslice.worker.renewal import Renewal

log = logging.getLogger(__name__)

HEARTBEAT = 5.0
SETTLE = 0.1
BACKOFF_CAP = 15.0
AGENT = "kubeslice-agent"


class Registration:
    """Reports on the cluster every few seconds and at once when something about it changes."""

    def __init__(
        self,
        membership: Membership,
        caches: Caches,
        reporter: Reporter,
        leaving: Leaving,
        renewal: Renewal,
        metrics: WorkerMetrics,
    ) -> None:
        self._membership = membership
        self._caches = caches
        self._reporter = reporter
        self._leaving = leaving
        self._renewal = renewal
        self._metrics = metrics
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Report until cancelled; slower while the hub refuses."""
        await self._until_synced()
        backoff = Backoff(first=1.0, cap=BACKOFF_CAP)
        while True:
            self._changed.clear()
            try:
                await self._beat()
                self._membership.link.succeeded()
                backoff.reset()
                wait = HEARTBEAT
            except ApiError as error:
                await self._failed(error)
                wait = backoff.next()
            await rest(wait, self._changed)
            await asyncio.sleep(SETTLE)

    def hurry(self) -> None:
        """Report now, not at the next heartbeat: the hub may accept what it refused."""
        self._changed.set()

    async def _until_synced(self) -> None:
        own = self._caches.own
        for informer in own.informers:
            await informer.synced.wait()
        for informer in (own.namespaces, own.nodes, own.corefiles):
            informer.subscribe(lambda _old, _new: self._changed.set())
        hub = self._membership.caches
        for informer in (own.slices, hub.configs, hub.gateways, hub.imports):
            informer.subscribe(self._one_less)
        own.daemonsets.subscribe(self._agents_changed)
        hub.cluster.subscribe(self._cluster_changed)
        self._renewal.subscribe(self.hurry)

    def _one_less(self, _: Object | None, new: Object | None) -> None:
        # The last one to go may be what the hub waits for.
        if new is None and self._membership.caches.is_leaving:
            self._changed.set()

    def _agents_changed(self, old: Object | None, new: Object | None) -> None:
        # The first agent to run may be what the registration waits for; each of many is no news.
        if worker_cluster.is_running(old) != worker_cluster.is_running(new):
            self._changed.set()

    def _cluster_changed(self, old: Object | None, new: Object | None) -> None:
        # Only the administrator's part wakes the heartbeat; its own writes must not.
        if old is None or new is None or intent(old) != intent(new):
            self._changed.set()

    async def _beat(self) -> None:
        member, hub = self._membership.member, self._membership.api
        home = names.project_namespace(member.project)
        seen = self._membership.caches.registered or await hub.get(CLUSTERS, member.name, home)
        metadata = {"name": member.name, "namespace": home}
        report = {"metadata": metadata, "status": self._status(seen)}
        await hub.apply(CLUSTERS, report, manager=names.WORKER_MANAGER, subresource="status")
        if report["status"]["registrationStatus"] == worker_cluster.DEREGISTERED:
            await self._leaving.stop()

    def _status(self, seen: Object) -> Object:
        own, now = self._caches.own, self._reporter.now()
        agents = own.daemonsets.get(AGENT, SYSTEM)
        addresses = worker_cluster.node_addresses(own.nodes.items(), Cluster.parse(seen))
        deployments = {name: own.deployments.get(f"kubeslice-{name}", SYSTEM) for name in ("dns", "webhook")}
        parts = worker_cluster.component_health(agents, deployments, addresses)
        self._metrics.cluster_stands(parts)
        health = worker_cluster.cluster_health(parts, objects.status(seen).get("clusterHealth") or {}, now)
        lacking = worker_cluster.missing(seen, agents, addresses)
        left = self._leaving.left()
        said = worker_cluster.registration(seen, left, lacking)
        joined = worker_cluster.registered(said, lacking, left)
        found = [joined, worker_cluster.connection(parts), self._renewal.finding]
        credential = self._renewal.held
        generation = int(seen["metadata"].get("generation") or 0)
        return {
            "registrationStatus": said,
            "nodeIPs": list(addresses.values())[: worker_cluster.MAX_ADDRESSES],
            "cniSubnet": worker_cluster.pod_networks(own.nodes.items()),
            "networkPresent": worker_cluster.is_complete(agents),
            "namespaces": [line.wire() for line in self._namespaces()],
            "clusterHealth": health,
            "workerVersion": __version__,
            "heartbeatTime": now,
            "conditions": findings.conditions_after(objects.conditions(seen), found, generation, now),
            **({"credential": credential.wire()} if credential else {}),
        }

    def _namespaces(self) -> list[ClusterNamespace]:
        """Return what this project may know: namespaces that are free, and those on slices of its own."""
        slices = {objects.name(obj): localnames.title(obj) for obj in self._caches.own.slices.items()}
        mine = {name: title for name, title in slices.items() if self._caches.membership_of(name) is self._membership}
        foreign, project = slices.keys() - mine.keys(), self._membership.member.project
        kept = {name for name, owner in self._caches.owners().items() if owner != project}
        free = [obj for obj in self._caches.own.namespaces.items() if objects.name(obj) not in kept]
        return worker_cluster.namespaces(free, mine, foreign)

    async def _failed(self, error: ApiError) -> None:
        if isinstance(error, Unauthorized) and self._renewal.refused():
            self.hurry()
        link = self._membership.link
        if link.failed(error):
            await notices.warn(self._reporter, self._caches, link.finding)
