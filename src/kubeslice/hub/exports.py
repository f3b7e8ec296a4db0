"""ServiceExportConfigs of all clusters of a slice, merged into one WorkerServiceImport for each member."""

from dataclasses import dataclass

from kubeslice.hub import groups
from kubeslice.hub.caches import Caches
from kubeslice.hub.groups import Service, SliceName
from kubeslice.hub.rosters import roster
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import Item, sync
from kubeslice.model import names
from kubeslice.model.ids import OWN, Key
from kubeslice.model.resources import SERVICEEXPORTCONFIGS, WORKERSERVICEIMPORTS
from kubeslice.plan import findings
from kubeslice.plan.services import exports
from kubeslice.plan.services.exports import Export, SliceMembers
from kubeslice.runtime.controller import Result
from kubeslice.runtime.reporting import Reporter


def key(service: Service) -> Key:
    """Return the key of a service on a slice."""
    name = f"{service.slice.name}/{service.namespace}/{service.name}"
    return Key(OWN, names.project_namespace(service.slice.project), name)


@dataclass(frozen=True)
class Exports:
    """Reconciles one service of one slice."""

    api: Api
    caches: Caches
    reporter: Reporter

    async def reconcile(self, key: Key) -> Result:
        """Write the imports of the service, and on every export whether it counts."""
        slice_name, namespace, name = key.name.split("/", 2)
        service = Service(SliceName(names.project_of(key.namespace), slice_name), namespace, name)
        members = self._members(service.slice)
        offered = [
            (Export(member.name, objects.name(obj), objects.spec(obj)), obj)
            for member, obj in self.caches.service_exports(service)
            if not objects.is_deleting(obj)
        ]
        wanted = exports.service_imports(service.slice.project, members, [export for export, _ in offered])
        taken = [obj for obj in wanted if not self._is_free(service, obj)]
        seen = self.caches.genuine(self.caches.imports_by_service.of(service))
        mine = [obj for obj in wanted if obj not in taken]
        await sync(self.api, names.HUB_MANAGER, _items(mine), _items(seen))
        for export, obj in offered:
            finding = _name_taken(taken[0]) if taken else exports.judge(export, members)
            await self.reporter.report(SERVICEEXPORTCONFIGS, obj, [finding])
        return Result(_sentence(members, len(offered), len(mine)))

    def _members(self, name: SliceName) -> SliceMembers:
        current = roster(self.caches, name)
        return SliceMembers(name.name, exists=current.config is not None, clusters=current.subnets)

    def _is_free(self, service: Service, wanted: Object) -> bool:
        # Service a-b of namespace c and service a of namespace b-c want the same name: the first one keeps it.
        found = self.caches.imports.get(objects.name(wanted), objects.namespace(wanted))
        return found is None or list(groups.imported(found)) in ([], [service])


def _name_taken(wanted: Object) -> findings.Finding:
    sentence = f"the import {objects.name(wanted)} belongs to another service: rename the service or its namespace"
    return findings.not_ready("NameTaken", sentence)


def _sentence(members: SliceMembers, exports_count: int, imports_count: int) -> str:
    if not members.exists:
        return f"slice {members.name} does not exist: {exports_count} exports wait for it"
    return f"{exports_count} exports, imported by {imports_count} clusters"


def _items(found: list[Object]) -> list[Item]:
    return [Item(WORKERSERVICEIMPORTS, obj) for obj in found]
