"""ServiceExport here → ServiceExportConfig on the hub.

No finalizer: what the hub holds and no export here asks for is deleted from there, so a namespace can always be
deleted, also while the hub does not answer.
"""

from dataclasses import dataclass
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import apply_if_needed
from kubeslice.kube.errors import ApiError, Forbidden, NotFound, Unauthorized, Unavailable
from kubeslice.model import conditions, names
from kubeslice.model.errors import Retry
from kubeslice.model.ids import Key
from kubeslice.model.resources import SERVICEEXPORTCONFIGS, SERVICEEXPORTS
from kubeslice.model.serviceexport import ServiceExport
from kubeslice.plan import discovery, findings, onboarding, worker_quotas, zone
from kubeslice.plan.discovery import Verdict
from kubeslice.plan.findings import Finding
from kubeslice.runtime.controller import Result
from kubeslice.runtime.reporting import Reporter
from kubeslice.worker import quotas
from kubeslice.worker.caches import Caches


@dataclass(frozen=True)
class Exports:
    """Reconciles one service by namespace and name."""

    hub: Api
    caches: Caches
    reporter: Reporter
    cluster: str

    async def reconcile(self, key: Key) -> Result:
        """Tell the hub what the export offers, or take back what it offered."""
        seen = self.caches.own.exports.get(key.name, key.namespace)
        if seen is None or objects.is_deleting(seen):
            await self._withdraw(key)
            return Result("not exported any more")
        export = ServiceExport.parse(seen)
        problem = discovery.obstacle(
            export,
            self.caches.slice_of_namespace(key.namespace),
            [objects.name(obj) for obj in self.caches.active_slices()],
            onboarding.without_network(self.caches.active_slices()),
        )
        problem = problem or self._refusal(export)
        offered = [] if problem else discovery.exported_pods(export, self._candidates(export))
        complaints = [why for alias in export.spec.aliases if (why := zone.alias_complaint(alias))]
        verdict = discovery.export_verdict(export, problem, len(offered), complaints)
        try:
            await self._tell_hub(key, export, offered, is_possible=problem is None)
        except (Unavailable, Unauthorized, Forbidden) as error:
            await self._report(seen, export, offered, _unheard(verdict, error))
            raise Retry(f"the hub cannot be told: {error.message}") from error
        await self._report(seen, export, offered, verdict)
        return Result(next(found.message for found in verdict.findings if found.type == conditions.READY))

    def _refusal(self, export: ServiceExport) -> Finding | None:
        """Return why an export is too much for the limits of its slice, if it is."""
        name = export.spec.slice
        limits = quotas.part(self.caches.slice(name))
        refused = worker_quotas.refusals(limits, quotas.exports_of(self.caches, name)) if limits else {}
        why = refused.get((export.metadata.namespace, export.metadata.name))
        return worker_quotas.obstacle(name, why) if why else None

    def _candidates(self, export: ServiceExport) -> list[Object]:
        return self.caches.own.pods.items(export.metadata.namespace)

    async def _tell_hub(self, key: Key, export: ServiceExport, offered: list[Object], *, is_possible: bool) -> None:
        if not is_possible:
            await self._withdraw(key)
            return
        metadata = {
            "name": self._config_name(key),
            "namespace": self.caches.hub.namespace,
            "labels": {
                names.CLUSTER_LABEL: self.cluster,
                names.ORIGINAL_SLICE_LABEL: export.spec.slice,
                names.SERVICE_NAME_LABEL: key.name,
                names.SERVICE_NAMESPACE_LABEL: key.namespace,
            },
        }
        wanted = {"metadata": metadata, "spec": discovery.export_config(export, self.cluster, offered).wire()}
        await apply_if_needed(self.hub, names.WORKER_MANAGER, SERVICEEXPORTCONFIGS, wanted, self._config(key))

    async def _withdraw(self, key: Key) -> None:
        config = self._config(key)
        if config is None or objects.is_deleting(config):
            return
        try:
            await self.hub.delete(
                SERVICEEXPORTCONFIGS, objects.name(config), self.caches.hub.namespace, uid=objects.uid(config)
            )
        except NotFound:
            return

    async def _report(self, seen: Object, export: ServiceExport, offered: list[Object], verdict: Verdict) -> None:
        lines = discovery.exported_lines(export, self.cluster, offered)
        status: dict[str, Any] = {
            "exportStatus": verdict.state,
            "dnsName": names.service_dns(export.metadata.name, export.metadata.namespace),
            "availableEndpoints": len(lines),
            "pods": [line.wire() for line in lines],
            "exposedPorts": discovery.container_ports(export.spec.ports),
            "servicePorts": discovery.service_ports(export.spec.ports),
            "aliases": [alias for alias in export.spec.aliases if not zone.alias_complaint(alias)],
        }
        await self.reporter.report(SERVICEEXPORTS, seen, verdict.findings, status)

    def _config(self, key: Key) -> Object | None:
        return self.caches.hub.exports.get(self._config_name(key), self.caches.hub.namespace)

    def _config_name(self, key: Key) -> str:
        return names.service_export_config(key.name, key.namespace, self.cluster)


def _unheard(verdict: Verdict, error: ApiError) -> Verdict:
    message = f"the other clusters may see an older state, because the hub cannot be told: {error.message}"
    others = tuple(found for found in verdict.findings if found.type != conditions.READY)
    return Verdict("PENDING", (findings.not_ready("HubUnreachable", message), *others))
