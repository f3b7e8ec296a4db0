"""Cluster: a namespace and a credential of its own for each worker, and what the hub knows about its health."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from kubeslice.hub import evictions, verdicts
from kubeslice.hub.caches import Caches
from kubeslice.hub.departures import Departures
from kubeslice.hub.heartbeats import Heartbeats
from kubeslice.hub.metrics import HubMetrics
from kubeslice.hub.rosters import is_evicted
from kubeslice.kube import finalizers, objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import Item, sync
from kubeslice.kube.errors import Conflict, NotFound
from kubeslice.model import names, resources
from kubeslice.model.cluster import Cluster
from kubeslice.model.ids import Key
from kubeslice.model.project import Project, ProjectSpec
from kubeslice.plan import findings
from kubeslice.plan.checks import effective
from kubeslice.plan.findings import Finding
from kubeslice.plan.hub import clusters, departure
from kubeslice.plan.hub.clusters import Pulse
from kubeslice.plan.tenants import credentials, tenancy
from kubeslice.plan.tenants.credentials import Custody
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.runtime.controller import Result, soonest
from kubeslice.runtime.reporting import Reporter


@dataclass(frozen=True)
class Clusters:
    """Reconciles one Cluster by its project namespace and name.

    `endpoint` is the hub's URL as workers reach it, `silence` how long a worker may say nothing, `credential_seconds`
    how long the tokens shall live that workers get for themselves; both in seconds.
    """

    api: Api
    caches: Caches
    reporter: Reporter
    heartbeats: Heartbeats
    endpoint: str
    silence: float
    credential_seconds: int
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
            heard, pulse = self._heard(member, obj)
            self.metrics.cluster_stands(*_owner(member), heard.status, is_ready=False)
            result = await Departures(self.api, self.caches, self.reporter, heard).proceed(member, obj)
            return Result(result.sentence, after=soonest((result.after, self._next_look(heard, pulse.age))))
        return await self._provide(member, obj)

    async def _provide(self, member: Member, obj: Object) -> Result:
        cluster = Cluster.parse(obj)
        refusal = findings.refusal(verdicts.of_cluster(self.caches, member, cluster))
        # What has a place loses its credential whatever else is wrong with it; one that has none could clear another's.
        is_placed = is_evicted(obj) and self.caches.member(member.namespace) == member
        if refusal and not is_placed:
            return await self._refuse(member, obj, refusal)
        obj = await finalizers.add(self.api, resources.CLUSTERS, obj, names.CLUSTER_FINALIZER)
        people = self._people(member)
        if is_evicted(obj):
            return await self._evict(member, people, obj)
        custody = await self._credential(member, cluster)
        facts = self._facts(member) if custody.wants_secret else None
        wanted = tenancy.cluster_objects(member, people, facts, custody.revision)
        await sync(self.api, names.HUB_MANAGER, [Item(*pair) for pair in wanted], self.caches.owned(*_owner(member)))
        return await self._report(member, cluster, obj, custody)

    async def _credential(self, member: Member, cluster: Cluster) -> Custody:
        """Decide about the worker's credential; an account that is revoked goes before another is made."""
        home, name = names.project_namespace(member.project), names.worker_account(member.name)
        account = self.caches.accounts.get(name, home)
        custody = credentials.custody(cluster, account, self.reporter.clock.now())
        if custody.is_revoked and account is not None:
            with suppress(NotFound, Conflict):
                await self.api.delete(resources.SERVICEACCOUNTS, name, home, uid=objects.uid(account))
        return custody

    async def _evict(self, member: Member, people: ProjectSpec, obj: Object) -> Result:
        """Take the worker's credential away, and then what it could hold on to, without waiting for it."""
        wanted = tenancy.evicted_cluster_objects(member, people)
        await sync(self.api, names.HUB_MANAGER, [Item(*pair) for pair in wanted], self.caches.owned(*_owner(member)))
        await evictions.clear(self.api, self.caches, member)
        self.metrics.cluster_stands(*_owner(member), "Unknown", is_ready=False)
        found = clusters.evicted(member, objects.status(obj))
        status = {"clusterNamespace": member.namespace, "registrationStatus": departure.FAILED}
        await self.reporter.report(resources.CLUSTERS, obj, found, status)
        return Result(found[0].message)

    async def _refuse(self, member: Member, obj: Object, refusal: Finding) -> Result:
        """Say why a cluster cannot be registered; one that was registered before goes on as it is."""
        heard, pulse = self._heard(member, obj)
        before, said = objects.status(obj), departure.refused(objects.status(obj).get("registrationStatus"))
        status = {key: before[key] for key in tenancy.PROVIDED if before.get(key)}
        status |= {"registrationStatus": said} if said else {}
        self.metrics.cluster_stands(*_owner(member), heard.status, is_ready=False)
        found = [refusal, heard, *clusters.in_its_place(before, heard, refusal if said else None)]
        await self.reporter.report(resources.CLUSTERS, obj, found, status, unchanged=_is_delicate(said, heard))
        if said and before.get("registrationStatus") != said:
            await self.reporter.event(
                resources.CLUSTERS, obj, "ClusterInstallationFailed", refusal.message, warning=True
            )
        return Result(refusal.message, after=self._next_look(heard, pulse.age))

    def _people(self, member: Member) -> ProjectSpec:
        project = self.caches.projects.get(member.project, names.HUB_NAMESPACE)
        return Project.parse(project).spec if project else ProjectSpec()

    def _facts(self, member: Member) -> dict[str, str]:
        return {
            "controllerEndpoint": self.endpoint,
            "clusterName": member.name,
            "clusterNamespace": member.namespace,
        }

    async def _report(self, member: Member, cluster: Cluster, obj: Object, custody: Custody) -> Result:
        home, account = names.project_namespace(member.project), names.worker_account(member.name)
        heard, pulse = self._heard(member, obj)
        token, held = tenancy.has_token(self.caches.secret(account, home)), custody.held_until
        found = clusters.judge(member.project, member.name, objects.status(obj), heard, has_token=token, held=held)
        found.append(findings.effectiveness(effective.cluster_not_effective(cluster.spec)))
        self.metrics.cluster_stands(*_owner(member), heard.status, is_ready=found[0].status == "True")
        self.metrics.credential_held(*_owner(member), held)
        status = {"clusterNamespace": member.namespace, "credentialSeconds": self.credential_seconds}
        status |= {"secretName": account} if custody.wants_secret else {}
        status |= {"credentialRevision": custody.revision} if custody.revision else {}
        said = departure.registration(objects.status(obj).get("registrationStatus"))
        status |= {"registrationStatus": said} if said else {}
        await self.reporter.report(resources.CLUSTERS, obj, found, status, unchanged=_is_delicate(said, heard))
        await self._milestone(obj, said, found[0])
        looks = (self._next_look(heard, pulse.age), self._until(held))
        return Result(found[0].message, after=soonest(looks))

    def _heard(self, member: Member, obj: Object) -> tuple[Finding, Pulse]:
        has_joined = objects.status(obj).get("registrationStatus") in departure.JOINED
        # What a worker said before it was shut out, or left, is no sign of life of one that is to join.
        pulse = self.heartbeats.pulse(objects.namespace(obj), member.name) if has_joined else Pulse(None)
        last = objects.condition(obj, clusters.REACHABLE)
        was_reachable = last is None or last.get("status") != "False"
        return clusters.reachable(member.name, pulse, was_reachable=was_reachable, limit=self.silence), pulse

    async def _milestone(self, obj: Object, said: str, ready: Finding) -> None:
        """Tell of the steps of a registration with the names that the Go implementation has for them."""
        last = objects.condition(obj, ready.type)
        if said and objects.status(obj).get("registrationStatus") != said:
            await self.reporter.event(resources.CLUSTERS, obj, "ClusterInstallationPending", ready.message)
        elif ready.reason == "WaitingForRegistration" and (last or {}).get("reason") != ready.reason:
            await self.reporter.event(resources.CLUSTERS, obj, "ClusterInstallationInProgress", ready.message)

    def _until(self, moment: datetime | None) -> float | None:
        return None if moment is None else max((moment - self.reporter.clock.now()).total_seconds(), 0.0) + 0.05

    def _next_look(self, heard: Finding, age: float | None) -> float | None:
        # While a worker is heard of nobody looks at its heartbeats; at the earliest moment it could be overdue, we do.
        if heard.status != "True" or age is None:
            return None
        return max(self.silence - age, 0.0) + 0.05


def _is_delicate(said: str, heard: Finding) -> bool:
    """Tell whether a worker may register, or be heard of again, meanwhile: its word must not be overwritten."""
    return bool(said) or heard.status == "False"


def _owner(member: Member) -> tuple[str, str]:
    return member.project, member.name
