"""WorkerServiceImport on the hub → ServiceImport in the namespace of the same name here, which DNS answers from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kubeslice.kube import finalizers, objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import apply_if_needed
from kubeslice.kube.errors import NotFound
from kubeslice.model import names
from kubeslice.model.ids import Key
from kubeslice.model.resources import SERVICEIMPORTS, WORKERSERVICEIMPORTS
from kubeslice.model.serviceimport import ServiceImport
from kubeslice.model.workerserviceimport import WorkerServiceImport
from kubeslice.plan.cluster import localnames
from kubeslice.plan.findings import Finding
from kubeslice.plan.services import discovery
from kubeslice.runtime.controller import Result
from kubeslice.runtime.reporting import Reporter
from kubeslice.worker.caches import Caches
from kubeslice.worker.membership import Membership

FINALIZER = names.WORKER_SERVICE_IMPORT_FINALIZER


@dataclass(frozen=True)
class Imports:
    """Reconciles one service by namespace and name.

    Two slices may offer services of the same name; the one whose slice the namespace is on here is imported.
    """

    own_api: Api
    caches: Caches
    own: Reporter

    async def reconcile(self, key: Key) -> Result:
        """Make the ServiceImport what the hub offers, or take it away."""
        seen = self.caches.own.imports.get(key.name, key.namespace)
        slice_name = self.caches.slice_of_namespace(key.namespace)
        owner = self.caches.membership_of(slice_name) if slice_name else None
        offers = [
            (membership, offer)
            for membership in self.caches.memberships
            for offer in membership.caches.imports_of(key.namespace, key.name)
        ]
        if not offers and seen is not None and slice_name and not self.caches.is_known(slice_name):
            return Result("as it was, because the hub does not answer")
        if not offers and seen is not None and slice_name and self.caches.forgotten.keeps(_key(key)):
            return Result("kept, though the hub has forgotten it", after=self.caches.forgotten.left(_key(key)))
        self.caches.forgotten.found(_key(key))
        ours = [offer for membership, offer in offers if membership is owner and not objects.is_deleting(offer)]
        chosen = next((offer for offer in ours if objects.spec(offer).get("sliceName") == slice_name), None)
        sentence = await self._import(owner, chosen, seen) if owner and chosen else await self._remove(seen)
        for membership, offer in offers:
            if offer is not chosen:
                await self._decline(membership, offer, slice_name, is_gone=chosen is not None or seen is None)
        return Result(sentence)

    async def _import(self, membership: Membership, offer: Object, seen: Object | None) -> str:
        wanted = WorkerServiceImport.parse(offer)
        metadata = {
            "name": wanted.spec.service_name,
            "namespace": wanted.spec.service_namespace,
            "labels": {names.SLICE_LABEL: wanted.spec.slice_name},
        }
        obj = {"metadata": metadata, "spec": discovery.import_spec(wanted).wire()}
        written = await apply_if_needed(self.own_api, names.WORKER_MANAGER, SERVICEIMPORTS, obj, seen)
        found = await self._report(wanted, written)
        await membership.reporter.report(WORKERSERVICEIMPORTS, offer, found)
        await finalizers.add(membership.api, WORKERSERVICEIMPORTS, offer, FINALIZER)
        return found[0].message

    async def _report(self, wanted: WorkerServiceImport, seen: Object) -> Sequence[Finding]:
        """Say here how the import does; return that for the hub."""
        endpoints = discovery.imported_endpoints(wanted)
        complaints = discovery.alias_complaints(ServiceImport.parse(seen), self._with_aliases())
        verdict = discovery.import_verdict(len(endpoints), wanted.spec.source_clusters, complaints)
        status: dict[str, Any] = {
            "importStatus": verdict.state,
            "availableEndpoints": len(endpoints),
            "endpoints": [endpoint.wire() for endpoint in endpoints],
            "exposedPorts": discovery.container_ports(discovery.import_spec(wanted).ports),
        }
        await self.own.report(SERVICEIMPORTS, seen, verdict.findings, status)
        return verdict.findings

    async def _remove(self, seen: Object | None) -> str:
        if seen is None:
            return "not imported"
        if not objects.is_deleting(seen):
            try:
                await self.own_api.delete(
                    SERVICEIMPORTS, objects.name(seen), objects.namespace(seen), uid=objects.uid(seen)
                )
            except NotFound:
                return "not imported any more"
        return "being removed"

    async def _decline(self, membership: Membership, offer: Object, slice_name: str, *, is_gone: bool) -> None:
        """Let go of an offer that is not imported, and say why if it could be."""
        if objects.is_deleting(offer):
            if is_gone:
                await finalizers.remove(membership.api, WORKERSERVICEIMPORTS, offer, FINALIZER)
            return
        wanted = WorkerServiceImport.parse(offer)
        exists = self.caches.own.namespaces.get(wanted.spec.service_namespace) is not None
        obstacle = discovery.import_obstacle(wanted, localnames.on_hub(offer), slice_name, exists=exists)
        if obstacle is not None:
            await membership.reporter.report(WORKERSERVICEIMPORTS, offer, [obstacle])

    def _with_aliases(self) -> list[ServiceImport]:
        return [ServiceImport.parse(obj) for obj in self.caches.own.imports.items() if objects.spec(obj).get("aliases")]


def _key(key: Key) -> str:
    return f"{key.namespace}/{key.name}"
