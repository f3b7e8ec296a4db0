"""A Cluster that is being deleted: its worker cleans up, then its credential, its namespace and the Cluster go.

Called by `hub.clusters`. A worker that is gone for good is given up after a time, or at once when it is shut out: first
its credential goes, so that nobody puts a finalizer back, then what it holds on to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kubeslice.hub import evictions
from kubeslice.hub.caches import Caches
from kubeslice.hub.rosters import is_evicted
from kubeslice.kube import finalizers, objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import sync
from kubeslice.model import names, resources
from kubeslice.plan import findings
from kubeslice.plan.findings import Finding
from kubeslice.plan.hub import clusters, departure
from kubeslice.plan.hub.departure import Farewell
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.runtime.controller import Result
from kubeslice.runtime.reporting import Reporter

LEAVING = {"isDeregisterInProgress": True}


@dataclass(frozen=True)
class Departures:
    """Lets a Cluster go; `heard` says whether its worker reports, which goes on being told."""

    api: Api
    caches: Caches
    reporter: Reporter
    heard: Finding

    async def proceed(self, member: Member, obj: Object) -> Result:
        """Take the next step with a Cluster that is being deleted."""
        if not objects.has_finalizer(obj, names.CLUSTER_FINALIZER):
            return Result()
        if self._is_cut_off(obj):
            await self._shut_out(member)
        obstacle = self._obstacle(member, obj)
        if obstacle:
            return Result(await self._wait(obj, obstacle))
        farewell = self._farewell(member, obj)
        told = [farewell.finding] if farewell.finding else []
        if not farewell.is_over:
            sentence = await self._wait(obj, told[0].message, told)
            return Result(sentence, after=farewell.after)
        return await self._finish(member, obj, told)

    async def _finish(self, member: Member, obj: Object, told: Sequence[Finding]) -> Result:
        owned = self.caches.owned(member.project, member.name)
        # What was told stays in the status: it says since when there is nobody to wait for.
        waits = told[0].message if told else f"waits for the deletion of the namespace {member.namespace}"
        await self._wait(obj, waits, told)
        await sync(self.api, names.HUB_MANAGER, [], owned)
        await evictions.clear(self.api, self.caches, member)
        if any(item.resource == resources.NAMESPACES for item in owned):
            return Result(waits)
        await finalizers.remove(self.api, resources.CLUSTERS, obj, names.CLUSTER_FINALIZER)
        await self._event(obj, "ClusterDeregistered", "its credential and its namespace are gone")
        return Result("deregistered")

    def _obstacle(self, member: Member, obj: Object) -> str:
        home = names.project_namespace(member.project)
        slices = [objects.name(found) for found in self.caches.slices_by_cluster.of((home, member.name))]
        if slices:
            return f"waits until it is in no slice: take {member.name} out of spec.clusters of {', '.join(slices)}"
        others = [entry for entry in objects.finalizers(obj) if entry != names.CLUSTER_FINALIZER]
        return f"waits for the finalizers {', '.join(others)}" if others else ""

    def _farewell(self, member: Member, obj: Object) -> Farewell:
        left, now = [objects.name(found) for found in self._held(member)], self.reporter.clock.now()
        return departure.farewell(member.name, objects.status(obj), left, now, is_evicted=self._is_cut_off(obj))

    def _is_cut_off(self, obj: Object) -> bool:
        """Tell whether the worker can do nothing any more: its credential goes with the project's namespace."""
        home = self.caches.namespaces.get(objects.namespace(obj))
        return is_evicted(obj) or (home is not None and objects.is_deleting(home))

    def _held(self, member: Member) -> list[Object]:
        return [found for informer in self.caches.held_by_workers for found in informer.items(member.namespace)]

    async def _shut_out(self, member: Member) -> None:
        if self._held(member):
            account, owned = names.worker_account(member.name), self.caches.owned(member.project, member.name)
            credential = [item for item in owned if objects.name(item.object) == account]
            await sync(self.api, names.HUB_MANAGER, [], credential)
            await evictions.clear(self.api, self.caches, member)

    async def _wait(self, obj: Object, sentence: str, told: Sequence[Finding] = ()) -> str:
        if not objects.status(obj).get("isDeregisterInProgress"):
            await self._event(obj, "ClusterDeregistrationInProgress", sentence)
        deleting, status = findings.not_ready("Deleting", sentence), objects.status(obj)
        is_heard = self.heard.status == "True"
        said = departure.leaving(status.get("registrationStatus"), is_heard=is_heard)
        out = deleting if said or is_evicted(obj) else None
        found = [deleting, self.heard, *clusters.in_its_place(status, self.heard, out), *told]
        wanted = LEAVING | ({"registrationStatus": said} if said else {})
        # A worker that says more meanwhile must not be overwritten.
        await self.reporter.report(resources.CLUSTERS, obj, found, wanted, unchanged=not is_heard)
        return sentence

    async def _event(self, obj: Object, reason: str, message: str) -> None:
        await self.reporter.event(resources.CLUSTERS, obj, reason, message)
