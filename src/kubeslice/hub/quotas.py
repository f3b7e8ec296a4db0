"""SliceResourceQuota: every cluster's part of a slice's limits, and what all of them use together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kubeslice.hub.caches import Caches
from kubeslice.hub.groups import SliceName
from kubeslice.hub.quotametrics import QuotaMetrics
from kubeslice.hub.rosters import cluster_of
from kubeslice.hub.verdicts import Verdicts
from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model import names
from kubeslice.model.ids import Key
from kubeslice.model.quotas import QuotaUse
from kubeslice.model.resources import SLICERESOURCEQUOTAS
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.model.sliceresourcequota import SliceResourceQuota
from kubeslice.plan import findings
from kubeslice.plan.checks import effective, limits
from kubeslice.plan.hub import quota_report
from kubeslice.plan.hub.quota_report import Usage
from kubeslice.plan.hub.quotas import Division
from kubeslice.plan.problems import Problem
from kubeslice.runtime.controller import Result
from kubeslice.runtime.reporting import Reporter


@dataclass(frozen=True)
class Limits:
    """Shares out the limits of slices by what the caches hold."""

    caches: Caches
    verdicts: Verdicts

    def shared_out(self, name: SliceName, config: SliceConfig, wanted: Sequence[Object]) -> list[Object]:
        """Return the WorkerSliceConfigs that are wanted with each one's part; a broken quota changes nothing."""
        obj = self.caches.quotas.get(name.name, names.project_namespace(name.project))
        seen, profile = self.caches.configs_of(name), self.verdicts.profile(config)
        return limits.shared_out(obj, name.name, wanted, seen, profile)[0]

    def divided(
        self, obj: Object, config: SliceConfig, configs: Iterable[Object]
    ) -> tuple[Division | None, Sequence[Problem]]:
        """Return what everybody's part is, or what is wrong with the limits."""
        return limits.divided(obj, config.metadata.name, configs, self.verdicts.profile(config))


@dataclass(frozen=True)
class Quotas:
    """Reports on the limits of one slice by its project namespace and name."""

    limits: Limits
    reporter: Reporter
    metrics: QuotaMetrics

    async def reconcile(self, key: Key) -> Result:
        """Sum up what the clusters of the slice use."""
        caches, name = self.limits.caches, SliceName(names.project_of(key.namespace), key.name)
        obj = caches.quotas.get(key.name, key.namespace)
        if obj is None or objects.is_deleting(obj):
            self.metrics.gone(name)
            return Result()
        slice_obj = caches.slices.get(key.name, key.namespace)
        if slice_obj is None:
            self.metrics.gone(name)
            sentence = f"there is no slice {key.name} in this project: make it, or name this after the slice it limits"
            await self.reporter.report(SLICERESOURCEQUOTAS, obj, [findings.not_ready("WaitingForSlice", sentence)])
            return Result(sentence)
        configs = [found for found in caches.configs_of(name) if not objects.is_deleting(found)]
        division, problems = self.limits.divided(obj, SliceConfig.parse(slice_obj), configs)
        if division is None:
            found = quota_report.invalid(problems[0].reason, "; ".join(map(str, problems)))
            await self.reporter.report(SLICERESOURCEQUOTAS, obj, found, _kept(obj))
            return Result(found[0].message)
        usage = Usage(division, _told(configs))
        idle = effective.quota_not_effective(SliceResourceQuota.parse(obj).spec)
        found = [*quota_report.judge(usage), findings.effectiveness(idle)]
        self.metrics.stand(name, quota_report.ratios(usage))
        await self.reporter.report(SLICERESOURCEQUOTAS, obj, found, quota_report.status(usage))
        return Result(found[0].message)


def _told(configs: Iterable[Object]) -> dict[str, QuotaUse]:
    found = {cluster_of(config): objects.status(config).get("resourceQuota") for config in configs}
    return {cluster: QuotaUse.model_validate(told) for cluster, told in found.items() if told}


def _kept(obj: Object) -> Object:
    return {key: value for key, value in objects.status(obj).items() if key != "conditions"}
