"""VpnKeyRotation: the keys of a slice's gateways, from birth to retirement.

One reconcile of a slice looks at what all members report, takes the next step of each plane, and writes in an order in
which a restart at any point does no harm: first the pre-shared keys, then the generations, which `hub.slices` copies
to the members.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from kubeslice.hub import sightings
from kubeslice.hub.caches import Caches
from kubeslice.hub.groups import SliceName
from kubeslice.hub.metrics import HubMetrics
from kubeslice.hub.presharedkeys import PreSharedKeys
from kubeslice.hub.rosters import Roster, generations_of, roster
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import Item, apply_if_needed, sync
from kubeslice.model import names
from kubeslice.model.errors import Retry
from kubeslice.model.ids import Key
from kubeslice.model.resources import SECRETS, SLICECONFIGS, VPNKEYROTATIONS
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.plan.keys import authority, generations, keyrecords, rotation, rotation_report
from kubeslice.plan.keys.generations import Generations
from kubeslice.plan.keys.keyrecords import KeyRecord
from kubeslice.plan.keys.rotation import Plane, Schedule, Seen
from kubeslice.plan.tunnels.topology import Pair
from kubeslice.runtime.controller import Result
from kubeslice.runtime.reporting import Reporter

if TYPE_CHECKING:
    from kubeslice.hub.authority import Authority


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
        records = keyrecords.parse(objects.status(seen).get("keys") or []) if seen else []
        found = sightings.keys(self.caches, name, current, records)
        pairs = sightings.pairs(self.caches, name, current, config)
        step = self._step(name, current, config, seen, found, now, is_listed=rotation_report.are_listed(pairs))
        told = [objects.spec(member) for member in self.caches.configs_of(name)]
        await self.shared.ensure(name, pairs, generations.everything(step.in_force, told))
        problems = [*found.problems, *await self._certify(name, current, config, step, found, now)]
        spec = rotation_report.ages(step.after, step.plan, config.spec)
        wanted = rotation_report.wanted(name.project, name.name, sorted(current.seats), pairs, spec)
        obj = await apply_if_needed(self.api, names.HUB_MANAGER, VPNKEYROTATIONS, wanted, seen)
        if seen is not None and objects.status(obj) != objects.status(seen):
            raise Retry("the VpnKeyRotation has gone on since it was read")
        await self._tell(config, obj, seen, step)
        states = rotation_report.gateway_states(step.after, step.seen, found.offenders)
        kept = keyrecords.recorded(records, found.reported, step.in_force, config.spec.clusters)
        return await self._report(name, obj, step, states, kept, problems, now)

    def _step(
        self,
        name: SliceName,
        current: Roster,
        config: SliceConfig,
        obj: Object | None,
        found: sightings.Keys,
        now: datetime,
        *,
        is_listed: bool,
    ) -> _Step:
        plan, status = rotation_report.schedule(config.spec), objects.status(obj) if obj else {}
        before = rotation_report.planes(status, generations_of(self.caches, name, config), now)
        matters = is_listed or any(plane.is_rotating for plane in before)
        seen = sightings.seen(self.caches, name, current, config, found, with_tunnels=matters)
        return _Step(plan, before, rotation.step(before, plan, seen, now), seen)

    async def _certify(
        self,
        name: SliceName,
        current: Roster,
        config: SliceConfig,
        step: _Step,
        found: sightings.Keys,
        now: datetime,
    ) -> list[str]:
        if not sightings.is_certified(config):
            return []
        allowed = authority.owners(current.seats, step.in_force)
        return await self._authority().ensure(name, allowed, found.requests, step.plan, now)

    def _authority(self) -> "Authority":
        from kubeslice.hub.authority import Authority  # noqa: PLC0415 - 50 ms of CPU, for slices with OpenVPN only

        return Authority(self.api, self.caches)

    async def _report(
        self,
        name: SliceName,
        obj: Object,
        step: _Step,
        states: Mapping[Pair, str],
        kept: Sequence[KeyRecord],
        problems: Sequence[str],
        now: datetime,
    ) -> Result:
        by_name = {names.slice_gateway(name.name, *ends): state for ends, state in states.items()}
        judged = rotation_report.judge(step.after, step.plan, step.seen, problems, now)
        fields = {
            **rotation_report.history(objects.status(obj), by_name, now),
            "planes": rotation_report.plane_fields(step.after, step.plan),
            "keys": [record.wire() for record in kept],
        }
        self.metrics.keys_stand(*name, step.after, step.plan, now)
        await self.reporter.report(VPNKEYROTATIONS, obj, judged, fields, unchanged=True)
        wait = rotation.next_look(step.after, step.plan, now)
        return Result(judged[0].message, after=wait.total_seconds() + 0.05)

    async def _tell(self, config: SliceConfig, obj: Object, seen: Object | None, step: _Step) -> None:
        if seen is None:
            await self._tell_of_birth(config, obj, step)
        elif rotation_report.pace(objects.spec(seen)) != rotation_report.pace(objects.spec(obj)):
            await self._event(
                obj, "VPNKeyRotationConfigUpdated", f"keys are renewed every {rotation_report.pace(objects.spec(obj))}"
            )
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
        await self._event(
            obj, "VPNKeyRotationConfigCreated", f"keys are renewed every {rotation_report.pace(objects.spec(obj))}"
        )

    async def _event(self, obj: Object, reason: str, message: str) -> None:
        await self.reporter.event(VPNKEYROTATIONS, obj, reason, message)

    async def _remove(self, name: SliceName, current: Roster, seen: Object | None) -> Result:
        # While members still clean up their tunnels are gone already, so are the views: nobody needs the keys.
        await self.shared.ensure(name, [], {})
        if current.config is None:
            gone = self.caches.secrets.get(names.slice_authority(*name), names.HUB_NAMESPACE)
            left = [Item(VPNKEYROTATIONS, seen)] if seen else []
            await sync(self.api, names.HUB_MANAGER, [], [*left, *([Item(SECRETS, gone)] if gone else [])])
            self.metrics.keys_gone(*name)
        return Result()


def _beginning(old: Plane, new: Plane, plan: Schedule) -> tuple[str, str]:
    message = f"plane {new.number} gets generation {new.newest} of its keys"
    is_asked_for = plan.renew_at is not None and old.since < plan.renew_at <= new.since
    return ("CertificatesRenewNow" if is_asked_for else "VPNKeyRotationStart"), message
