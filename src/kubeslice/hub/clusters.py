"""Cluster: a namespace and a credential of its own for each worker, and what the hub knows about its health."""

from dataclasses import dataclass

from kubeslice.hub import evictions
from kubeslice.hub.caches import Caches
from kubeslice.hub.heartbeats import Heartbeats
from kubeslice.hub.metrics import HubMetrics
from kubeslice.hub.rosters import is_evicted
from kubeslice.kube import finalizers, objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import Item, sync
from kubeslice.kube.errors import NotFound
from kubeslice.model import names, resources
from kubeslice.model.cluster import Cluster
from kubeslice.model.ids import Key
from kubeslice.model.project import Project, ProjectSpec
from kubeslice.plan import clusters, effective, findings, tenancy, validation
from kubeslice.plan.findings import Finding
from kubeslice.plan.tenancy import Member
from kubeslice.runtime.controller import Result
from kubeslice.runtime.reporting import Reporter


@dataclass(frozen=True)
class Clusters:
    """Reconciles one Cluster by its project namespace and name.

    `endpoint` is the hub's URL as workers reach it, `silence` how long a worker may say nothing, in seconds.
    """

    api: Api
    caches: Caches
    reporter: Reporter
    heartbeats: Heartbeats
    endpoint: str
    silence: float
    metrics: HubMetrics

    async def reconcile(self, key: Key) -> Result:
        """Give the cluster its place on the hub, or clear it away."""
        member = Member(names.project_of(key.namespace), key.name)
        obj = self.caches.clusters.get(key.name, key.namespace)
        if obj is None:
            self.metrics.cluster_gone(*_owner(member))
            await sync(self.api, names.HUB_MANAGER, [], self.caches.owned(*_owner(member)))
            return Result()
        if objects.is_deleting(obj):
            return await self._delete(member, obj)
        return await self._provide(member, obj)

    async def _provide(self, member: Member, obj: Object) -> Result:
        cluster = Cluster.parse(obj)
        reason, problem = self._problem(member, cluster)
        if problem:
            await self.reporter.report(resources.CLUSTERS, obj, [findings.not_ready(reason, problem)])
            return Result(problem)
        obj = await finalizers.add(self.api, resources.CLUSTERS, obj, names.CLUSTER_FINALIZER)
        people = self._people(member)
        if is_evicted(obj):
            return await self._evict(member, people, obj)
        wanted = tenancy.cluster_objects(member, people, self._facts(member))
        await sync(self.api, names.HUB_MANAGER, [Item(*pair) for pair in wanted], self.caches.owned(*_owner(member)))
        return await self._report(member, cluster, obj)

    async def _evict(self, member: Member, people: ProjectSpec, obj: Object) -> Result:
        """Take the worker's credential away, and then what it could hold on to, without waiting for it."""
        wanted = tenancy.evicted_cluster_objects(member, people)
        await sync(self.api, names.HUB_MANAGER, [Item(*pair) for pair in wanted], self.caches.owned(*_owner(member)))
        await evictions.clear(self.api, self.caches, member)
        self.metrics.cluster_heard(*_owner(member), is_reachable=False)
        finding = clusters.evicted(member.name)
        await self.reporter.report(resources.CLUSTERS, obj, [finding], {"clusterNamespace": member.namespace})
        return Result(finding.message)

    def _problem(self, member: Member, cluster: Cluster) -> tuple[str, str]:
        problems = validation.cluster(cluster.spec, member.name, member.project, {})
        if problems:
            return problems[0].reason, "; ".join(map(str, problems))
        if self.caches.projects.get(member.project, names.HUB_NAMESPACE) is None:
            home = names.project_namespace(member.project)
            return "NoProject", f"the namespace {home} is not a project's: create Project {member.project} first"
        found = self.caches.namespaces.get(member.namespace)
        labels = objects.labels(found) if found else None
        return "NamespaceTaken", tenancy.namespace_problem(member.namespace, labels, tenancy.cluster_labels(member))

    def _people(self, member: Member) -> ProjectSpec:
        project = self.caches.projects.get(member.project, names.HUB_NAMESPACE)
        return Project.parse(project).spec if project else ProjectSpec()

    def _facts(self, member: Member) -> dict[str, str]:
        return {
            "controllerEndpoint": self.endpoint,
            "clusterName": member.name,
            "clusterNamespace": member.namespace,
        }

    async def _report(self, member: Member, cluster: Cluster, obj: Object) -> Result:
        home, account = names.project_namespace(member.project), names.worker_account(member.name)
        pulse = self.heartbeats.pulse(home, member.name)
        last = objects.condition(obj, clusters.REACHABLE)
        was_reachable = last is None or last.get("status") != "False"
        heard = clusters.reachable(member.name, pulse, was_reachable=was_reachable, limit=self.silence)
        self.metrics.cluster_heard(*_owner(member), is_reachable=heard.status == "True")
        token = tenancy.has_token(self.caches.secret(account, home))
        found = clusters.judge(member.project, member.name, objects.status(obj), heard, has_token=token)
        found.append(findings.effectiveness(effective.cluster_not_effective(cluster.spec)))
        status = {"secretName": account, "clusterNamespace": member.namespace}
        await self.reporter.report(resources.CLUSTERS, obj, found, status)
        return Result(found[0].message, after=self._next_look(heard, pulse.age))

    def _next_look(self, heard: Finding, age: float | None) -> float | None:
        # While a worker is heard of nobody looks at its heartbeats; at the earliest moment it could be overdue, we do.
        if heard.status != "True" or age is None:
            return None
        return max(self.silence - age, 0.0) + 0.05

    async def _delete(self, member: Member, obj: Object) -> Result:
        if not objects.has_finalizer(obj, names.CLUSTER_FINALIZER):
            return Result()
        for export in self.caches.exports_by_namespace.of(member.namespace):
            await self._drop(export)
        obstacle = self._obstacle(member, obj)
        if not obstacle:
            owned = self.caches.owned(*_owner(member))
            await sync(self.api, names.HUB_MANAGER, [], owned)
            if not any(item.resource == resources.NAMESPACES for item in owned):
                await finalizers.remove(self.api, resources.CLUSTERS, obj, names.CLUSTER_FINALIZER)
                return Result("deregistered")
            obstacle = f"waits for the deletion of the namespace {member.namespace}"
        await self.reporter.report(resources.CLUSTERS, obj, [findings.not_ready("Deleting", obstacle)])
        return Result(obstacle)

    def _obstacle(self, member: Member, obj: Object) -> str:
        home = names.project_namespace(member.project)
        slices = [objects.name(found) for found in self.caches.slices_by_cluster.of((home, member.name))]
        if slices:
            return f"waits until it is in no slice: take {member.name} out of spec.clusters of {', '.join(slices)}"
        left = [objects.name(found) for found in self.caches.configs_by_namespace.of(member.namespace)]
        if left:
            return f"waits for the worker of {member.name} to clean up {', '.join(left)}"
        others = [entry for entry in objects.finalizers(obj) if entry != names.CLUSTER_FINALIZER]
        return f"waits for the finalizers {', '.join(others)}" if others else ""

    async def _drop(self, export: Object) -> None:
        if objects.is_deleting(export):
            return
        try:
            await self.api.delete(
                resources.SERVICEEXPORTCONFIGS, objects.name(export), objects.namespace(export), uid=objects.uid(export)
            )
        except NotFound:
            return


def _owner(member: Member) -> tuple[str, str]:
    return member.project, member.name
