"""ServiceExport here → ServiceExportConfig on the hub.

No finalizer: what the hub holds and no export here asks for is deleted from there, so a namespace can always be
deleted, also while the hub does not answer.
"""

import contextlib
from dataclasses import dataclass
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.applyset import apply_if_needed
from kubeslice.kube.errors import ApiError, Forbidden, NotFound, Unauthorized, Unavailable
from kubeslice.model import conditions, names
from kubeslice.model.errors import Retry
from kubeslice.model.ids import Key
from kubeslice.model.resources import SERVICEEXPORTCONFIGS, SERVICEEXPORTS
from kubeslice.model.serviceexport import ServiceExport
from kubeslice.plan import findings
from kubeslice.plan.cluster import localnames, onboarding, worker_quotas
from kubeslice.plan.findings import Finding
from kubeslice.plan.services import discovery, zone
from kubeslice.plan.services.discovery import Backend, Verdict
from kubeslice.runtime.controller import Result
from kubeslice.runtime.reporting import Reporter
from kubeslice.worker import quotas
from kubeslice.worker.caches import Caches
from kubeslice.worker.membership import Membership


@dataclass(frozen=True)
class Exports:
    """Reconciles one service by namespace and name."""

    caches: Caches
    reporter: Reporter

    async def reconcile(self, key: Key) -> Result:
        """Tell the hub what the export offers, or take back what it offered."""
        seen = self.caches.own.exports.get(key.name, key.namespace)
        if seen is None or objects.is_deleting(seen):
            await self._withdraw(key)
            return Result("not exported any more")
        export = ServiceExport.parse(seen)
        slice_name = self.caches.slice_of_namespace(key.namespace)
        membership, fellows = self.caches.membership_of(slice_name), self.caches.fellows(slice_name)
        cluster = (membership or self.caches.memberships[0]).member.name
        problem = discovery.obstacle(
            export,
            self.caches.title(slice_name),
            [localnames.title(obj) for obj in fellows],
            onboarding.without_network(fellows),
        )
        problem = problem or self._refusal(export, slice_name)
        offered = [] if problem else discovery.backends(export, slice_name, self._candidates(export))
        complaints = [why for alias in export.spec.aliases if (why := zone.alias_complaint(alias))]
        verdict = discovery.export_verdict(export, problem, len(offered), complaints)
        try:
            await self._tell_hub(key, export, offered, None if problem else membership)
        except (Unavailable, Unauthorized, Forbidden) as error:
            await self._report(seen, export, cluster, offered, _unheard(verdict, error))
            raise Retry(f"the hub cannot be told: {error.message}") from error
        await self._report(seen, export, cluster, offered, verdict)
        return Result(next(found.message for found in verdict.findings if found.type == conditions.READY))

    def _refusal(self, export: ServiceExport, slice_name: str) -> Finding | None:
        """Return why an export is too much for the limits of its slice, if it is."""
        limits = quotas.part(self.caches.slice(slice_name))
        refused = worker_quotas.refusals(limits, quotas.exports_of(self.caches, slice_name)) if limits else {}
        why = refused.get((export.metadata.namespace, export.metadata.name))
        return worker_quotas.obstacle(export.spec.slice, why) if why else None

    def _candidates(self, export: ServiceExport) -> list[Object]:
        return self.caches.own.pods.items(export.metadata.namespace)

    async def _tell_hub(
        self, key: Key, export: ServiceExport, offered: list[Backend], membership: Membership | None
    ) -> None:
        await self._withdraw(key, but=membership)
        if membership is None:
            return
        cluster, hub = membership.member.name, membership.caches
        metadata = {
            "name": _config_name(key, membership),
            "namespace": hub.namespace,
            "labels": {
                names.CLUSTER_LABEL: cluster,
                names.ORIGINAL_SLICE_LABEL: export.spec.slice,
                names.SERVICE_NAME_LABEL: key.name,
                names.SERVICE_NAMESPACE_LABEL: key.namespace,
            },
        }
        wanted = {"metadata": metadata, "spec": discovery.export_config(export, cluster, offered).wire()}
        seen = _config(key, membership)
        await apply_if_needed(membership.api, names.WORKER_MANAGER, SERVICEEXPORTCONFIGS, wanted, seen)

    async def _withdraw(self, key: Key, but: Membership | None = None) -> None:
        """Take back what any hub was told of an export, `but` one."""
        for membership in self.caches.memberships:
            config = _config(key, membership)
            if membership is but or config is None or objects.is_deleting(config):
                continue
            with contextlib.suppress(NotFound):
                await membership.api.delete(
                    SERVICEEXPORTCONFIGS, objects.name(config), membership.caches.namespace, uid=objects.uid(config)
                )

    async def _report(
        self, seen: Object, export: ServiceExport, cluster: str, offered: list[Backend], verdict: Verdict
    ) -> None:
        lines = discovery.exported_lines(export, cluster, offered)
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


def _config(key: Key, membership: Membership) -> Object | None:
    return membership.caches.exports.get(_config_name(key, membership), membership.caches.namespace)


def _config_name(key: Key, membership: Membership) -> str:
    return names.service_export_config(key.name, key.namespace, membership.member.name)


def _unheard(verdict: Verdict, error: ApiError) -> Verdict:
    message = f"the other clusters may see an older state, because the hub cannot be told: {error.message}"
    others = tuple(found for found in verdict.findings if found.type != conditions.READY)
    return Verdict("PENDING", (findings.not_ready("HubUnreachable", message), *others))
