"""SliceConfig: a place in the slice for every member cluster, and how the slice does as a whole.

Nothing that works is torn down because something new is wrong: while a spec is refused, the members it had before stay.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from kubeslice.hub import connections, keys
from kubeslice.hub.bulletin import Bulletin
from kubeslice.hub.caches import Caches
from kubeslice.hub.connections import Connections, Outlook
from kubeslice.hub.groups import SliceName
from kubeslice.hub.metrics import HubMetrics
from kubeslice.hub.pools import Allocation, Pools
from kubeslice.hub.quotas import Limits
from kubeslice.hub.rosters import cluster_of, evicted, roster
from kubeslice.hub.verdicts import Verdicts
from kubeslice.kube import finalizers, objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import Changes, Item, sync
from kubeslice.model import conditions, names
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
from kubeslice.plan import findings
from kubeslice.plan.address import parts, pools
from kubeslice.plan.checks import effective
from kubeslice.plan.checks.validation import Problem
from kubeslice.plan.hub import slices, standing
from kubeslice.plan.hub.gateways import Detours
from kubeslice.plan.hub.slices import Seat
from kubeslice.plan.hub.standing import Standing
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.plan.tunnels import relays
from kubeslice.runtime.controller import Result, soonest
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
    connections: Connections
    bulletin: Bulletin
    metrics: HubMetrics
    pools: Pools
    limits: Limits

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
        places, problems, rest = await self._seats(name, obj, config)
        shut_out = evicted(self.caches, name.project, config.spec.clusters)
        seats = [seat for seat in places if seat.cluster not in shut_out]
        if not problems:
            obj = await finalizers.add(self.api, SLICECONFIGS, obj, names.SLICE_CONFIG_FINALIZER)
            await self._write_configs(name, obj, config, seats)
        before = connections.detours(obj)
        outlook = self._outlook(name, config, seats, before, is_accepted=not problems)
        stands = replace(self._standing(name, obj, seats, outlook), evicted=_kept(config, obj, shut_out))
        found = [*standing.judge(stands, problems), *keys.found(self.caches, name)]
        self.metrics.slice_stands(*name, stands, is_ready=found[0].status == "True")
        found.append(findings.effectiveness(effective.not_effective(config.spec)))
        generation = {"observedGeneration": int(obj["metadata"].get("generation") or 0)}
        wait = await self.bulletin.tell(obj, found, standing.status_fields(stands) | generation)
        for news in relays.news(before.relays, stands.relays):
            await self.reporter.event(SLICECONFIGS, obj, news.reason, news.sentence, warning=news.is_bad)
        waits = [wait, rest, outlook.after if outlook else None]
        return Result(found[0].message, after=soonest(waits))

    async def _seats(
        self, name: SliceName, obj: Object, config: SliceConfig
    ) -> tuple[list[Seat], list[Problem], float | None]:
        """Return the places of all members, or why they stay as they were, and when to look at the pool again."""
        problems, after = self.verdicts.problems(obj, config), None
        if not problems:
            try:
                allocation = await self._allocate(name, obj, config)
                if allocation.problem is None:
                    return slices.seats(config, allocation.octets), [], allocation.after
                problems, after = [allocation.problem], allocation.after
            except Terminal as refusal:
                problems = [Problem.of("spec", refusal)]
        return list(roster(self.caches, name).seats.values()), problems, after

    async def _allocate(self, name: SliceName, obj: Object, config: SliceConfig) -> Allocation:
        configs = {cluster_of(found): found for found in self.caches.configs_of(name)}
        present = slices.remembered_octets(configs.items(), objects.status(obj))
        if pools.is_pooled(config):
            reported = {cluster for cluster, found in configs.items() if objects.conditions(found)}
            return await self.pools.allocate(name, config, present, reported)
        octets = slices.octets(config, present)
        if config.spec.slice_subnet:
            total = parts.count(config.spec)
            self.metrics.pools.stand(name, total, len(octets), total - len({*present.values(), *octets.values()}))
        return Allocation(octets)

    async def _write_configs(self, name: SliceName, obj: Object, config: SliceConfig, seats: Sequence[Seat]) -> None:
        profile = self.verdicts.profile(config)
        told = keys.told(self.caches, name, config, [seat.cluster for seat in seats])
        wanted = [
            slices.worker_config(name.project, config, seat, profile, told[seat.cluster])
            for seat in seats
            if self._has_home(name, seat.cluster)
        ]
        wanted = self.limits.shared_out(name, config, wanted)
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

    def _outlook(
        self, name: SliceName, config: SliceConfig, seats: Sequence[Seat], seen: Detours, *, is_accepted: bool
    ) -> Outlook | None:
        if config.spec.overlay_network_deployment_mode == names.NO_NETWORK:
            return None
        octets = {seat.cluster: seat.octet for seat in seats}
        look = self.connections.judge if is_accepted else self.connections.as_built
        return look(name, config, octets, seen)

    def _standing(self, name: SliceName, obj: Object, seats: Sequence[Seat], outlook: Outlook | None) -> Standing:
        configs = {cluster_of(found): found for found in self.caches.configs_of(name)}
        were_ready = {
            member.get("cluster") for member in objects.status(obj).get("members") or [] if member.get("ready")
        }
        members = [
            standing.member_state(
                seat,
                configs.get(seat.cluster),
                self.connections.silence(name.project, seat.cluster),
                was_ready=seat.cluster in were_ready,
                has_joined=self.connections.has_joined(name.project, seat.cluster),
            )
            for seat in seats
        ]
        told = str((objects.condition(obj, conditions.READY) or {}).get("reason") or "")
        if outlook is None:
            return Standing(members, told=told)
        ways = outlook.detours
        return Standing(members, outlook.graph, outlook.legs, ways.relays, ways.swapped, told=told)

    async def _remove(self, name: SliceName, obj: Object | None) -> Result:
        left = [
            *_items(WORKERSLICECONFIGS, self.caches.configs_of(name)),
            *_items(WORKERSLICEGATEWAYS, self.caches.genuine(self.caches.gateways_by_slice.of(name))),
            *_items(WORKERSERVICEIMPORTS, self.caches.genuine(self.caches.imports_by_slice.of(name))),
        ]
        await sync(self.api, names.HUB_MANAGER, [], left)
        if not left:
            await self.pools.remove(name)
        if obj is None:
            self.metrics.slice_gone(*name)
            self.connections.forget(name)
            self.bulletin.forget(key(name))
            return Result()
        if left:
            waiting = list(dict.fromkeys(cluster_of(item.object) for item in left))
            sentence = f"waits for the workers of {', '.join(waiting)} to clean up: {len(left)} objects left"
            silent = [cluster for cluster in waiting if self.connections.silence(name.project, cluster)]
            sentence += f"; `kubeslice cluster forget {silent[0]}` if that cluster is gone for good" if silent else ""
            await self.reporter.report(SLICECONFIGS, obj, [findings.not_ready("Deleting", sentence)])
            return Result(sentence)
        await finalizers.remove(self.api, SLICECONFIGS, obj, names.SLICE_CONFIG_FINALIZER)
        await self.reporter.event(SLICECONFIGS, obj, "SliceConfigDeleted", "nothing of it is left on any cluster")
        return Result("deleted")


def _kept(config: SliceConfig, obj: Object, clusters: Iterable[str]) -> list[Seat]:
    """Return the places that wait for these clusters: they get them back when they are let in again."""
    octets = slices.remembered_octets([], objects.status(obj))
    return [slices.seat(config, cluster, octets[cluster]) for cluster in sorted(clusters) if cluster in octets]


def _items(resource: Resource, found: Sequence[Object]) -> list[Item]:
    return [Item(resource, obj) for obj in found]
