"""SliceConfig: a place in the slice for every member cluster, and how the slice does as a whole.

Nothing that works is torn down because something new is wrong: while a spec is refused, the members it had before stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kubeslice.hub.caches import Caches
from kubeslice.hub.groups import SliceName
from kubeslice.hub.metrics import HubMetrics
from kubeslice.hub.rosters import cluster_of, roster
from kubeslice.hub.verdicts import Verdicts
from kubeslice.kube import finalizers, objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import Changes, Item, sync
from kubeslice.model import names
from kubeslice.model.errors import Terminal
from kubeslice.model.ids import OWN, Key
from kubeslice.model.resources import (
    SLICECONFIGS,
    WORKERSERVICEIMPORTS,
    WORKERSLICECONFIGS,
    WORKERSLICEGATEWAYS,
    Resource,
)
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.plan import clusters, effective, findings, slices
from kubeslice.plan.slices import MemberState, Seat, Standing
from kubeslice.plan.tenancy import Member
from kubeslice.plan.validation import Problem
from kubeslice.runtime.controller import Result
from kubeslice.runtime.reporting import Reporter


def key(name: SliceName) -> Key:
    """Return the key of a slice."""
    return Key(OWN, names.project_namespace(name.project), name.name)


@dataclass(frozen=True)
class Slices:
    """Reconciles one SliceConfig by its project namespace and name."""

    api: Api
    caches: Caches
    reporter: Reporter
    verdicts: Verdicts
    metrics: HubMetrics

    async def reconcile(self, key: Key) -> Result:
        """Give every member its part of the slice, or take the slice away."""
        name = SliceName(names.project_of(key.namespace), key.name)
        obj = self.caches.slices.get(key.name, key.namespace)
        if obj is None or objects.is_deleting(obj):
            return await self._remove(name, obj)
        return await self._provide(name, obj)

    async def _provide(self, name: SliceName, obj: Object) -> Result:
        try:
            config = SliceConfig.parse(obj)
        except Terminal as refusal:
            await self.reporter.report(SLICECONFIGS, obj, [findings.not_ready(refusal.reason, str(refusal))])
            raise
        seats, problems = self._seats(name, obj, config)
        if not problems:
            obj = await finalizers.add(self.api, SLICECONFIGS, obj, names.SLICE_CONFIG_FINALIZER)
            await self._write_configs(name, obj, config, seats)
        standing = self._standing(name, config, seats)
        self.metrics.slice_stands(*name, standing)
        found = [*slices.judge(standing, problems), findings.effectiveness(effective.not_effective(config.spec))]
        generation = {"observedGeneration": int(obj["metadata"].get("generation") or 0)}
        await self.reporter.report(SLICECONFIGS, obj, found, slices.status_fields(standing) | generation)
        return Result(found[0].message)

    def _seats(self, name: SliceName, obj: Object, config: SliceConfig) -> tuple[list[Seat], list[Problem]]:
        problems = self.verdicts.problems(obj, config)
        if not problems:
            present = [(cluster_of(found), found) for found in self.caches.configs_of(name)]
            try:
                return slices.seats(config, slices.remembered_octets(present, objects.status(obj))), []
            except Terminal as refusal:
                problems = [Problem.of("spec", refusal)]
        return list(roster(self.caches, name).seats.values()), problems

    async def _write_configs(self, name: SliceName, obj: Object, config: SliceConfig, seats: Sequence[Seat]) -> None:
        profile = self.verdicts.profile(config)
        wanted = [
            slices.worker_config(name.project, config, seat, profile)
            for seat in seats
            if self._has_home(name, seat.cluster)
        ]
        seen = self.caches.configs_of(name)
        changes = await sync(
            self.api, names.HUB_MANAGER, _items(WORKERSLICECONFIGS, wanted), _items(WORKERSLICECONFIGS, seen)
        )
        await self._tell(obj, changes, seen)

    def _has_home(self, name: SliceName, cluster: str) -> bool:
        # A namespace that is not (yet) this cluster's own gets nothing: it could be another tenant's.
        member = Member(name.project, cluster)
        return self.caches.member(member.namespace) == member

    async def _tell(self, obj: Object, changes: Changes, seen: Sequence[Object]) -> None:
        known = {f"{WORKERSLICECONFIGS.kind} {objects.namespace(old)}/{objects.name(old)}" for old in seen}
        created = [name.rpartition("/")[2] for name in changes.applied if name not in known]
        deleted = [name.rpartition("/")[2] for name in changes.deleted]
        if created:
            await self.reporter.event(SLICECONFIGS, obj, "WorkerSliceConfigCreated", f"made {', '.join(created)}")
        if deleted:
            await self.reporter.event(SLICECONFIGS, obj, "WorkerSliceConfigDeleted", f"deleted {', '.join(deleted)}")

    def _standing(self, name: SliceName, config: SliceConfig, seats: Sequence[Seat]) -> Standing:
        configs = {cluster_of(found): found for found in self.caches.configs_of(name)}
        members = [self._member(name, seat, configs.get(seat.cluster)) for seat in seats]
        has_network = config.spec.overlay_network_deployment_mode != slices.NO_NETWORK
        return Standing(members, has_network)

    def _member(self, name: SliceName, seat: Seat, config: Object | None) -> MemberState:
        tunnels_up = self.caches.tunnels_up.of((name, seat.cluster))
        return slices.member_state(seat, config, tunnels_up, self._silence(name, seat.cluster))

    def _silence(self, name: SliceName, cluster: str) -> str:
        obj = self.caches.clusters.get(cluster, names.project_namespace(name.project))
        heard = objects.condition(obj, clusters.REACHABLE) if obj else None
        return str(heard["message"]) if heard and heard.get("status") == "False" else ""

    async def _remove(self, name: SliceName, obj: Object | None) -> Result:
        left = [
            *_items(WORKERSLICECONFIGS, self.caches.configs_of(name)),
            *_items(WORKERSLICEGATEWAYS, self.caches.genuine(self.caches.gateways_by_slice.of(name))),
            *_items(WORKERSERVICEIMPORTS, self.caches.genuine(self.caches.imports_by_slice.of(name))),
        ]
        await sync(self.api, names.HUB_MANAGER, [], left)
        if obj is None:
            self.metrics.slice_gone(*name)
            return Result()
        if left:
            waiting = list(dict.fromkeys(cluster_of(item.object) for item in left))
            sentence = f"waits for the workers of {', '.join(waiting)} to clean up: {len(left)} objects left"
            await self.reporter.report(SLICECONFIGS, obj, [findings.not_ready("Deleting", sentence)])
            return Result(sentence)
        await finalizers.remove(self.api, SLICECONFIGS, obj, names.SLICE_CONFIG_FINALIZER)
        return Result("deleted")


def _items(resource: Resource, found: Sequence[Object]) -> list[Item]:
    return [Item(resource, obj) for obj in found]
