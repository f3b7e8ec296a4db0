"""VpnKeyRotation: the keys of a slice's gateways, from birth to retirement.

One reconcile of a slice looks at what all members report, takes the next step of each plane, and writes in an order in
which a restart at any point does no harm: first the pre-shared keys, then the generations, which `hub.slices` copies
to the members.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kubeslice.hub.caches import Caches
from kubeslice.hub.groups import SliceName
from kubeslice.hub.metrics import HubMetrics
from kubeslice.hub.presharedkeys import Pair, PreSharedKeys
from kubeslice.hub.rosters import Roster, cluster_of, generations_of, roster
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import Item, apply_if_needed, sync
from kubeslice.model import names
from kubeslice.model.ids import Key
from kubeslice.model.resources import SLICECONFIGS, VPNKEYROTATIONS
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.plan import clusters, generations, keyrecords, rotation, rotation_report
from kubeslice.plan.generations import Generations
from kubeslice.plan.keyrecords import KeyRecord
from kubeslice.plan.rotation import Plane, Schedule, Seen
from kubeslice.runtime.controller import Result
from kubeslice.runtime.reporting import Reporter


@dataclass(frozen=True)
class _Step:
    """The keys of a slice before and after one step, and what it was decided by."""

    plan: Schedule
    before: Sequence[Plane]
    after: Sequence[Plane]
    seen: Seen

    @property
    def in_force(self) -> Generations:
        """Return the generations after the step."""
        return {plane.number: plane.generations for plane in self.after}


@dataclass(frozen=True)
class Rotations:
    """Reconciles the keys of one slice by its project namespace and name."""

    api: Api
    caches: Caches
    reporter: Reporter
    shared: PreSharedKeys
    metrics: HubMetrics

    async def reconcile(self, key: Key) -> Result:
        """Take the next step with the keys of the slice, or take all of them away."""
        name = SliceName(names.project_of(key.namespace), key.name)
        current = roster(self.caches, name)
        seen = self.caches.rotations.get(key.name, key.namespace)
        if current.config is None or not any(seat.subnet for seat in current.seats.values()):
            return await self._remove(name, current, seen)
        return await self._provide(name, current, current.config, seen)

    async def _provide(self, name: SliceName, current: Roster, config: SliceConfig, seen: Object | None) -> Result:
        now = self.reporter.clock.now()
        step = self._step(name, current, config, seen, now)
        pairs = self._pairs(name, current)
        told = [objects.spec(found) for found in self.caches.configs_of(name)]
        await self.shared.ensure(name, pairs, generations.everything(step.in_force, told))
        spec = rotation_report.ages(step.after, step.plan, config.spec)
        wanted = rotation_report.wanted(name.project, name.name, sorted(current.seats), pairs, spec)
        obj = await apply_if_needed(self.api, names.HUB_MANAGER, VPNKEYROTATIONS, wanted, seen)
        await self._tell(config, obj, seen, step)
        return await self._report(name, current, obj, step, now)

    def _step(self, name: SliceName, current: Roster, config: SliceConfig, obj: Object | None, now: datetime) -> _Step:
        plan, status = rotation_report.schedule(config.spec), objects.status(obj) if obj else {}
        before = rotation_report.planes(status, generations_of(self.caches, name, config), now)
        seen = self._observe(name, current, config)
        return _Step(plan, before, rotation.step(before, plan, seen, now), seen)

    def _observe(self, name: SliceName, current: Roster, config: SliceConfig) -> Seen:
        said = {_ends(view): objects.status(view).get("planes") or [] for view in self._views(name)}
        live = frozenset(cluster for cluster in current.seats if self._is_live(name, cluster))
        made = frozenset(record.owner for record in self._reports(name, current))
        tunnels = [
            tunnel
            for local, remote in self._pairs(name, current)
            for tunnel in rotation_report.tunnels_of(
                local, remote, said.get((local, remote)) or [], config.spec.gateway_replicas
            )
        ]
        return Seen(live, made, tunnels)

    def _views(self, name: SliceName) -> list[Object]:
        found = self.caches.genuine(self.caches.gateways_by_slice.of(name))
        return [view for view in found if not objects.is_deleting(view)]

    def _pairs(self, name: SliceName, current: Roster) -> list[Pair]:
        """Return (local, remote) of every view of the slice whose ends are both members."""
        ends = {_ends(view) for view in self._views(name)}
        return sorted(pair for pair in ends if current.seats.keys() >= set(pair))

    def _is_live(self, name: SliceName, cluster: str) -> bool:
        obj = self.caches.clusters.get(cluster, names.project_namespace(name.project))
        return obj is not None and objects.is_true(obj, clusters.REACHABLE)

    def _reports(self, name: SliceName, current: Roster) -> list[KeyRecord]:
        configs = [found for found in self.caches.configs_of(name) if cluster_of(found) in current.seats]
        return [
            record
            for found in configs
            for record in keyrecords.reported(cluster_of(found), objects.status(found).get("gateways") or [])
        ]

    async def _report(self, name: SliceName, current: Roster, obj: Object, step: _Step, now: datetime) -> Result:
        status, reports = objects.status(obj), self._reports(name, current)
        records = keyrecords.parse(status.get("keys") or [])
        refusals = keyrecords.refused(reports, records)
        kept = keyrecords.recorded(records, reports, step.in_force, current.seats.keys())
        states = rotation_report.gateway_states(step.after, step.seen, {refusal.record.cluster for refusal in refusals})
        by_name = {names.slice_gateway(name.name, *ends): state for ends, state in states.items()}
        problems = [refusal.sentence for refusal in refusals]
        found = rotation_report.judge(step.after, step.plan, step.seen, problems, now)
        fields = {
            **rotation_report.history(status, by_name, now),
            "planes": rotation_report.plane_fields(step.after, step.plan),
            "keys": [record.wire() for record in kept],
        }
        self.metrics.keys_stand(*name, step.after, step.plan, now)
        await self.reporter.report(VPNKEYROTATIONS, obj, found, fields)
        wait = rotation.next_look(step.after, step.plan, now)
        return Result(found[0].message, after=wait.total_seconds() + 0.05)

    async def _tell(self, config: SliceConfig, obj: Object, seen: Object | None, step: _Step) -> None:
        if seen is None:
            await self._tell_of_birth(config, obj, step)
        elif _pace(seen) != _pace(obj):
            await self._event(obj, "VPNKeyRotationConfigUpdated", f"keys are renewed every {step.plan.period}")
        for old, new in zip(step.before, step.after, strict=True):
            if new.newest > old.newest:
                await self._event(obj, *_beginning(old, new, step.plan))
            elif len(new.generations) < len(old.generations):
                message = f"plane {new.number} uses generation {new.newest} everywhere; the one before it is retired"
                await self._event(obj, "VPNKeyRotationComplete", message)

    async def _tell_of_birth(self, config: SliceConfig, obj: Object, step: _Step) -> None:
        if any(plane.newest > generations.FIRST for plane in step.before):
            message = "the VpnKeyRotation was deleted while its slice exists, and is made again with the keys in force"
            owner = config.wire()
            await self.reporter.event(SLICECONFIGS, owner, "IllegalVPNKeyRotationConfigDelete", message, warning=True)
            return
        await self._event(obj, "VPNKeyRotationConfigCreated", f"keys are renewed every {step.plan.period}")

    async def _event(self, obj: Object, reason: str, message: str) -> None:
        await self.reporter.event(VPNKEYROTATIONS, obj, reason, message)

    async def _remove(self, name: SliceName, current: Roster, seen: Object | None) -> Result:
        # While members still clean up their tunnels are gone already, so are the views: nobody needs the keys.
        await self.shared.ensure(name, [], {})
        if seen is not None and current.config is None:
            await sync(self.api, names.HUB_MANAGER, [], [Item(VPNKEYROTATIONS, seen)])
        if current.config is None:
            self.metrics.keys_gone(*name)
        return Result()


def _ends(view: Object) -> Pair:
    return cluster_of(view), objects.labels(view).get(names.REMOTE_CLUSTER_LABEL, "")


def _pace(obj: Object) -> tuple[object, object]:
    spec = objects.spec(obj)
    return spec.get("rotationPeriod"), spec.get("rotationInterval")


def _beginning(old: Plane, new: Plane, plan: Schedule) -> tuple[str, str]:
    message = f"plane {new.number} gets generation {new.newest} of its keys"
    is_asked_for = plan.renew_at is not None and old.since < plan.renew_at <= new.since
    return ("CertificatesRenewNow" if is_asked_for else "VPNKeyRotationStart"), message
