"""The default slice of a Project: made, kept with what clusters report and slices claim, and taken away again."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from kubeslice.hub.caches import Caches
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import Item, sync
from kubeslice.model import names
from kubeslice.model.cluster import Cluster
from kubeslice.model.errors import Terminal
from kubeslice.model.ids import Key
from kubeslice.model.resources import SLICECONFIGS
from kubeslice.model.sliceconfig import SliceConfig, SliceConfigSpec
from kubeslice.plan.hub import defaultslice
from kubeslice.plan.tenants import tenancy
from kubeslice.runtime.controller import Result


@dataclass(frozen=True)
class DefaultSlices:
    """Reconciles the default slice of one project by the key of the Project."""

    api: Api
    caches: Caches

    async def reconcile(self, key: Key) -> Result:
        """Make the slice what it should be at this moment, if the project wants one."""
        seen = self.caches.slices.get(names.default_slice(key.name), names.project_namespace(key.name))
        if seen is not None and objects.is_deleting(seen):
            return Result("the default slice is being deleted")
        is_asked_for = self._is_asked_for(key)
        wanted = [Item(SLICECONFIGS, self._wanted(key.name))] if is_asked_for else []
        changes = await sync(self.api, names.HUB_MANAGER, wanted, _ours(key.name, seen))
        return Result(f"the default slice was {'written' if is_asked_for else 'removed'}") if changes else Result()

    def _is_asked_for(self, key: Key) -> bool:
        project = self.caches.projects.get(key.name, key.namespace)
        if project is None or objects.is_deleting(project) or not objects.spec(project).get("defaultSliceCreation"):
            return False
        home = self.caches.namespaces.get(names.project_namespace(key.name))
        return home is not None and _belongs_to(home, key.name)

    def _wanted(self, project: str) -> Object:
        clusters = self.caches.clusters_by_project.of(names.project_namespace(project))
        here = [Cluster.parse(obj) for obj in clusters if not objects.is_deleting(obj)]
        return defaultslice.wanted(project, here, dict(self._others(project)))

    def _others(self, project: str) -> Iterator[tuple[str, SliceConfigSpec]]:
        for obj in self.caches.slices_by_project.of(names.project_namespace(project)):
            name = objects.name(obj)
            if not defaultslice.is_default(project, name) and not objects.is_deleting(obj):
                with suppress(Terminal):  # what nobody can read claims nothing; its own reconcile says so
                    yield name, SliceConfig.parse(obj).spec


def _ours(project: str, seen: Object | None) -> list[Item]:
    # One that somebody else made under this name is taken over when it is wanted, and else left alone.
    return [Item(SLICECONFIGS, seen)] if seen is not None and _belongs_to(seen, project) else []


def _belongs_to(obj: Object, project: str) -> bool:
    return objects.labels(obj).items() >= tenancy.project_labels(project).items()
