"""How each slice does here: the status of its Slice, and the report on the hub's WorkerSliceConfig."""

from dataclasses import dataclass, field

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model import names
from kubeslice.model.cluster import Cluster
from kubeslice.model.ids import Key
from kubeslice.model.resources import SLICES, WORKERSLICECONFIGS
from kubeslice.model.slice import Slice
from kubeslice.model.workersliceconfig import WorkerSliceConfig
from kubeslice.plan.cluster import localnames, worker_cluster, worker_parts, worker_quotas, worker_report, worker_slice
from kubeslice.plan.cluster.worker_parts import View
from kubeslice.plan.cluster.worker_report import Report
from kubeslice.plan.cluster.worker_words import Words
from kubeslice.plan.findings import Finding
from kubeslice.runtime.clock import Clock
from kubeslice.runtime.controller import Result
from kubeslice.runtime.reporting import Reporter
from kubeslice.worker import hublink, isolation, quotas, wishes
from kubeslice.worker.caches import SYSTEM, Caches
from kubeslice.worker.membership import Membership
from kubeslice.worker.metrics import WorkerMetrics


@dataclass(frozen=True)
class Standing:
    """Reports on one slice by its name."""

    caches: Caches
    own: Reporter
    metrics: WorkerMetrics
    clock: Clock
    _words: dict[str, Words] = field(default_factory=dict)

    async def reconcile(self, key: Key) -> Result:
        """Say how the slice does: at once when something turned, else once in a while."""
        seen = self.caches.slice(key.name)
        if seen is None or objects.is_deleting(seen):
            self.metrics.forget(key.name)
            self._words.pop(key.name, None)
            return Result()
        view = self._view(seen)
        ready = worker_report.readiness(view)
        sentence = ready.message
        self.metrics.observe(key.name, len(worker_report.app_pods(view)), worker_parts.tunnels(view)[0])
        health = {part.name: part.health for part in worker_parts.components(view)}
        self.metrics.slice_stands(key.name, health, is_ready=ready.status == "True")
        membership, config = self.caches.membership_of(key.name), self.caches.config(key.name)
        here, there = self._here(seen, config, view, membership), self._there(config, view)
        now = self.clock.monotonic()
        words = self._words[key.name] = Words.seen(self._words.get(key.name), now)
        if words.due > now and not here.is_news(seen) and not (config and there.is_news(config)):
            return Result(sentence, after=words.due - now)
        self._words[key.name] = words.said(now)
        # Here first: that the hub does not listen is among the news.
        await self.own.report(SLICES, seen, here.found, here.status)
        if membership is not None and config is not None and not objects.is_deleting(config):
            await membership.reporter.report(WORKERSLICECONFIGS, config, there.found, there.status)
        return Result(sentence)

    def _there(self, config: Object | None, view: View) -> Report:
        health = objects.status(config).get("sliceHealth") if config else None
        status = {
            "sliceHealth": worker_parts.slice_health(view, health or {}, self.own.now()),
            "connectedAppPods": [pod.wire() for pod in worker_report.app_pods(view)],
            "onboardedAppNamespaces": [{"name": name} for name in self._onboarded(view)],
            "gateways": [gateway.wire() for gateway in worker_report.gateways(view)],
        }
        limits = quotas.part(view.slice)
        if limits is not None:
            found, exported = quotas.quotas_of(self.caches, view.name), quotas.exports_of(self.caches, view.name)
            status["resourceQuota"] = worker_quotas.use(limits, found, exported).wire()
        return Report(self._findings(view), status)

    def _here(self, seen: Object, config: Object | None, view: View, membership: Membership | None) -> Report:
        before = objects.status(seen)
        local = worker_slice.local_config(WorkerSliceConfig.parse(config)).wire() if config else None
        profile = (local or before.get("sliceConfig") or {}).get("namespaceIsolationProfile") or {}
        status = {
            "sliceConfig": local or before.get("sliceConfig") or {},
            "dnsIP": self._dns_address(),
            "appPods": [pod.wire() for pod in worker_report.app_pods(view)],
            "applicationNamespaces": self._onboarded(view),
            "allowedNamespaces": profile.get("allowedNamespaces") or [],
            "networkPoliciesInstalled": isolation.is_installed(self.caches, seen),
        }
        link = (
            membership.link.finding
            if membership
            else hublink.not_joined(objects.labels(seen).get(names.PROJECT_LABEL, ""))
        )
        until = self.caches.forgotten.until(view.name)
        return Report([*self._findings(view), link, hublink.memory(localnames.title(seen), until)], status)

    def _findings(self, view: View) -> list[Finding]:
        degraded = [worker_report.degradation(view)] if view.has_network else []
        isolated = isolation.standing(self.caches, view.slice)
        return [
            worker_report.readiness(view),
            *degraded,
            *self._namespaces(view),
            *self._addresses(view),
            *([isolated] if isolated else []),
        ]

    def _view(self, seen: Object) -> View:
        name = objects.name(seen)
        membership, config = self.caches.membership_of(name), self.caches.config(name)
        cluster = membership.caches.registered if membership else None
        told = (objects.status(config).get("gateways") or []) if config else []
        return View(
            slice=seen,
            pods=self.caches.pods_of(name),
            gateways=[obj for obj in self.caches.gateways_of(name) if not objects.is_deleting(obj)],
            services=self.caches.own.services.items(),
            secrets=self.caches.keys_of(name),
            last_nodes={gateway["plane"]: gateway.get("node", "") for gateway in told},
            node_addresses=worker_cluster.node_addresses(
                self.caches.own.nodes.items(), Cluster.parse(cluster) if cluster else None
            ),
            is_dns_ready=worker_cluster.is_available(self.caches.own.deployments.get(names.DNS_SERVICE, SYSTEM)),
        )

    def _onboarded(self, view: View) -> list[str]:
        labelled = {
            objects.name(obj)
            for obj in self.caches.own.namespaces.items()
            if objects.labels(obj).get(names.SLICE_LABEL) == view.name
        }
        return sorted(labelled & set(view.spec.get("namespaces") or []))

    def _namespaces(self, view: View) -> list[Finding]:
        wish = wishes.of(view.name, self.caches)
        if wish is None:
            return []
        return [worker_report.onboarding(wishes.granted(wish, Slice.parse(view.slice), self.caches).refusals)]

    def _addresses(self, view: View) -> list[Finding]:
        if not view.has_network:
            return []
        terrain = worker_slice.terrain(
            str(view.spec.get("clusterName")), self.caches.own.nodes.items(), view.pods, frozenset()
        )
        return [worker_report.addresses(worker_slice.shortages(Slice.parse(view.slice).spec, terrain))]

    def _dns_address(self) -> str:
        service = self.caches.own.services.get(names.DNS_SERVICE, SYSTEM)
        return str(objects.spec(service).get("clusterIP") or "") if service else ""
