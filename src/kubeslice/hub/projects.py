"""Project: a tenant's namespace, roles, accounts and default QoS profile; on deletion everything it holds, in order."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from kubeslice.hub import verdicts
from kubeslice.hub.caches import Caches
from kubeslice.kube import finalizers, objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import Changes, Item, sync
from kubeslice.kube.errors import AlreadyExists, NotFound
from kubeslice.model import names, resources
from kubeslice.model.ids import Key
from kubeslice.model.project import Project
from kubeslice.model.resources import Resource
from kubeslice.plan import findings
from kubeslice.plan.checks import effective
from kubeslice.plan.tenants import tenancy
from kubeslice.runtime.controller import Result
from kubeslice.runtime.reporting import Reporter


@dataclass(frozen=True)
class Projects:
    """Reconciles one Project by its name in the hub's namespace."""

    api: Api
    caches: Caches
    reporter: Reporter

    async def reconcile(self, key: Key) -> Result:
        """Make what the project needs, or take it away in order."""
        obj = self.caches.projects.get(key.name, key.namespace)
        if obj is None:
            return Result()
        if objects.is_deleting(obj):
            return await self._delete(obj)
        return await self._provide(obj)

    async def _provide(self, obj: Object) -> Result:
        project = Project.parse(obj)
        name = project.metadata.name
        refusal = findings.refusal(verdicts.of_project(self.caches, project))
        if refusal:
            await self.reporter.report(resources.PROJECTS, obj, [refusal])
            return Result(refusal.message)
        obj = await finalizers.add(self.api, resources.PROJECTS, obj, names.PROJECT_FINALIZER)
        home = self.caches.namespaces.get(names.project_namespace(name))
        if home is not None and objects.is_deleting(home):
            sentence = f"{_home(name)} is being deleted with all that is in it; the project begins anew when it is gone"
            await self.reporter.report(resources.PROJECTS, obj, [findings.not_ready("NamespaceDeleting", sentence)])
            return Result(sentence)
        wanted = tenancy.project_objects(name, project.spec)
        is_new = self.caches.namespaces.get(names.project_namespace(name)) is None
        seen = self.caches.owned(name)
        changes = await sync(self.api, names.HUB_MANAGER, [Item(*pair) for pair in wanted], seen)
        if is_new:
            await self._event(obj, "NamespaceCreated", f"made {_home(name)}")
        await self._tell_of_accounts(obj, changes, seen)
        if await self._default_profile(name):
            await self._event(obj, "DefaultSliceQoSConfigCreated", f"made the profile {names.DEFAULT_QOS_PROFILE}")
        readers, writers = tenancy.head_count(project.spec)
        sentence = f"users work in {_home(name)}: {readers} may read, {writers} may write"
        status = {"namespace": names.project_namespace(name)}
        idle = findings.effectiveness(effective.project_not_effective(project.spec, name))
        await self.reporter.report(resources.PROJECTS, obj, [findings.ready("Provided", sentence), idle], status)
        return Result(sentence)

    async def _tell_of_accounts(self, obj: Object, changes: Changes, seen: Sequence[Item]) -> None:
        kind, home = resources.SERVICEACCOUNTS.kind, names.project_namespace(objects.name(obj))
        known = {objects.name(item.object) for item in seen if item.resource == resources.SERVICEACCOUNTS}
        prefix = f"{kind} {home}/"
        made = {name.removeprefix(prefix) for name in changes.applied if name.startswith(prefix)} - known
        gone = {name.removeprefix(prefix) for name in changes.deleted if name.startswith(prefix)}
        if made:
            await self._event(obj, "ServiceAccountCreated", f"made {', '.join(sorted(made))}")
        if gone:
            await self._event(obj, "InactiveServiceAccountDeleted", f"deleted {', '.join(sorted(gone))}")

    async def _event(self, obj: Object, reason: str, message: str) -> None:
        await self.reporter.event(resources.PROJECTS, obj, reason, message)

    async def _default_profile(self, project: str) -> bool:
        """Make the profile if it is missing; return whether it was."""
        # Made once and then the users' own: applied again and again it would undo their changes.
        profile = tenancy.default_qos(project)
        if self.caches.profiles.get(objects.name(profile), objects.namespace(profile)) is None:
            with suppress(AlreadyExists):
                await self.api.create(resources.SLICEQOSCONFIGS, profile)
                return True
        return False

    async def _delete(self, obj: Object) -> Result:
        name = objects.name(obj)
        for resource, left in self._contents(name):
            if left:
                await self._delete_all(resource, left)
                sentence = f"waits for the deletion of {_listing(resource, left)}"
                await self.reporter.report(resources.PROJECTS, obj, [findings.not_ready("Deleting", sentence)])
                return Result(sentence)
        owned = self.caches.owned(name)
        await sync(self.api, names.HUB_MANAGER, [], owned)
        if any(item.resource == resources.NAMESPACES for item in owned):
            sentence = f"waits for the deletion of {_home(name)}"
            await self.reporter.report(resources.PROJECTS, obj, [findings.not_ready("Deleting", sentence)])
            return Result(sentence)
        await finalizers.remove(self.api, resources.PROJECTS, obj, names.PROJECT_FINALIZER)
        await self._event(obj, "ProjectDeleted", "everything it held is gone")
        return Result("deleted")

    def _contents(self, project: str) -> list[tuple[Resource, list[Object]]]:
        """Return what a project holds, in the order in which it goes."""
        home = names.project_namespace(project)
        clusters = self.caches.clusters_by_project.of(home)
        exports = [
            export
            for cluster in clusters
            for export in self.caches.exports_by_namespace.of(names.cluster_namespace(project, objects.name(cluster)))
        ]
        return [
            (resources.SERVICEEXPORTCONFIGS, exports),
            (resources.SLICECONFIGS, self.caches.slices_by_project.of(home)),
            (resources.CLUSTERS, clusters),
            (resources.SLICEQOSCONFIGS, self.caches.profiles_by_project.of(home)),
        ]

    async def _delete_all(self, resource: Resource, left: list[Object]) -> None:
        for obj in left:
            if not objects.is_deleting(obj):
                try:
                    await self.api.delete(resource, objects.name(obj), objects.namespace(obj), uid=objects.uid(obj))
                except NotFound:
                    continue


def _home(project: str) -> str:
    return f"the namespace {names.project_namespace(project)}"


def _listing(resource: Resource, left: list[Object]) -> str:
    shown = ", ".join(objects.name(obj) for obj in left[:5])
    more = f" and {len(left) - 5} more" if len(left) > 5 else ""
    return f"{resource.kind} {shown}{more}"
