"""WorkerSliceGateway on the hub → SliceGateway here; state of the tunnels from the gateways → hub."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from kubeslice.kube import finalizers, objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import apply_if_needed
from kubeslice.kube.errors import NotFound
from kubeslice.model import names
from kubeslice.model.ids import Key
from kubeslice.model.resources import SLICEGATEWAYS, WORKERSLICEGATEWAYS
from kubeslice.model.slicegateway import GatewayPodStatus, LocalGatewayConfig, SliceGateway
from kubeslice.model.workerslicegateway import WorkerSliceGateway
from kubeslice.plan import pods
from kubeslice.plan.cluster import localnames, worker_gateway
from kubeslice.plan.cluster.worker_gateway import Told
from kubeslice.plan.findings import Finding
from kubeslice.runtime.clock import Clock
from kubeslice.runtime.controller import Result
from kubeslice.runtime.reporting import Reporter
from kubeslice.worker.caches import SYSTEM, Caches
from kubeslice.worker.membership import Membership


@dataclass(frozen=True)
class Gateways:
    """Reconciles one side of a pair of clusters by the name of its SliceGateway."""

    own_api: Api
    caches: Caches
    own: Reporter
    clock: Clock
    _told: dict[str, Told] = field(default_factory=dict)

    async def reconcile(self, key: Key) -> Result:
        """Make the SliceGateway what the hub wants, and tell the hub how its tunnels are."""
        seen = self.caches.own.gateways.get(key.name, SYSTEM)
        membership = next((found for found in self.caches.memberships if found.caches.pair(key.name)), None)
        wanted = membership.caches.pair(key.name) if membership else None
        if membership is None or wanted is None:
            return await self._orphan(key.name, seen)
        self.caches.forgotten.found(key.name)
        if self._is_wanted(wanted, membership):
            return await self._build(WorkerSliceGateway.parse(wanted), membership, wanted, seen)
        if seen is None:
            finalizer = names.WORKER_SLICE_GATEWAY_FINALIZER
            await finalizers.remove(membership.api, WORKERSLICEGATEWAYS, wanted, finalizer)
        return await self._remove(key.name, seen)

    def _is_wanted(self, wanted: Object, membership: Membership) -> bool:
        slice_name = str(objects.spec(wanted).get("sliceName"))
        is_ours = self.caches.membership_of(slice_name) is membership
        return is_ours and not objects.is_deleting(wanted) and self._has_slice(slice_name)

    def _has_slice(self, name: str) -> bool:
        seen = self.caches.slice(name)
        return seen is not None and not objects.is_deleting(seen)

    async def _orphan(self, name: str, seen: Object | None) -> Result:
        """Take away what no hub asks for, unless its hub has not been heard."""
        slice_name = str(objects.spec(seen or {}).get("sliceName"))
        if seen is not None and not objects.is_deleting(seen) and self._has_slice(slice_name):
            if not self.caches.is_known(slice_name):
                return Result("as it was, because the hub does not answer")
            if self.caches.forgotten.keeps(name):
                left = self.caches.forgotten.left(name)
                return Result("kept, though the hub has forgotten it", after=left)
        self.caches.forgotten.found(name)
        return await self._remove(name, seen)

    async def _remove(self, name: str, seen: Object | None) -> Result:
        self._told.pop(name, None)
        if seen is not None:
            if not objects.is_deleting(seen):
                await _delete(self.own_api, seen)
            return Result("being removed")
        return Result("removed")

    async def _build(
        self, pair: WorkerSliceGateway, membership: Membership, wanted: Object, seen: Object | None
    ) -> Result:
        await finalizers.add(membership.api, WORKERSLICEGATEWAYS, wanted, names.WORKER_SLICE_GATEWAY_FINALIZER)
        metadata = {
            "name": localnames.of_pair(wanted),
            "namespace": SYSTEM,
            "labels": {names.SLICE_LABEL: pair.spec.slice_name},
        }
        held = SliceGateway.parse(seen).spec.planes if seen else []
        waiting = self._waiting(pair, membership)
        obj = {"metadata": metadata, "spec": worker_gateway.spec(pair, waiting, held).wire()}
        written = await apply_if_needed(self.own_api, names.WORKER_MANAGER, SLICEGATEWAYS, obj, seen)
        found, planes = await self._report(pair, written)
        return await self._tell_hub(membership.reporter, pair, wanted, found, planes, is_keyed=not waiting)

    def _waiting(self, pair: WorkerSliceGateway, membership: Membership) -> set[worker_gateway.Place]:
        if not membership.caches.secrets.synced.is_set():
            return set()
        return worker_gateway.waiting(pair, self.caches.keys_of(pair.spec.slice_name))

    async def _report(self, pair: WorkerSliceGateway, seen: Object) -> tuple[list[Finding], list[Object]]:
        """Say here how the tunnels are; return that for the hub."""
        spec, remote = pair.spec, pair.spec.remote_gateway_config
        gateway_pods = pods.on_slice(self.caches.pods_of(spec.slice_name), spec.slice_name, names.GATEWAY_POD)
        slice_spec = objects.spec(self.caches.slice(spec.slice_name) or {})
        expected = int(slice_spec.get("gatewayReplicas") or 1)
        planes = worker_gateway.planes_of(seen, expected, {objects.name(pod) for pod in gateway_pods})
        ready = worker_gateway.readiness(remote.cluster_name, expected, planes, len(remote.planes), spec.relay)
        degraded = worker_gateway.degradation(remote.cluster_name, expected, planes, spec.relay)
        ports = worker_gateway.node_ports(slice_spec, self.caches.own.services.items())
        word = degraded.reason if degraded.status == "True" else ready.reason
        lines = worker_gateway.pod_status(spec.slice_name, spec.gateway_type, gateway_pods, planes)
        status = _status(worker_gateway.config(pair, ports, word), lines)
        await self.own.report(SLICEGATEWAYS, seen, [ready, degraded], status)
        return [ready, degraded], [plane.wire() for plane in planes]

    async def _tell_hub(
        self,
        hub: Reporter,
        pair: WorkerSliceGateway,
        wanted: Object,
        found: Sequence[Finding],
        planes: list[Object],
        *,
        is_keyed: bool,
    ) -> Result:
        name, now = objects.name(wanted), self.clock.monotonic()
        is_same = worker_gateway.is_same_state(objects.status(wanted).get("planes") or [], planes)
        wait = self._until_due(wanted, is_keyed=is_keyed) if is_same else 0.0
        if wait > 0:
            return Result(found[0].message, after=wait)
        told = {"planes": planes, "gatewayNumber": pair.spec.gateway_number}
        if await hub.report(WORKERSLICEGATEWAYS, wanted, found, told):
            self._told[name] = Told.figures(now) if is_same else Told.state(name, now)
        return Result(found[0].message)

    def _until_due(self, wanted: Object, *, is_keyed: bool) -> float:
        """Return for how long the hub shall not be told more while no state changes."""
        name, now = objects.name(wanted), self.clock.monotonic()
        last = self._told[name] = Told.known(self._told.get(name), name, now, is_keyed=is_keyed)
        return last.due(self.caches.own.gateways.count, is_first=not objects.conditions(wanted)) - now


def _status(config: LocalGatewayConfig, lines: Sequence[GatewayPodStatus]) -> Object:
    return {
        "config": config.wire(),
        "gatewayPodStatus": [line.wire() for line in lines],
        "podNames": [line.pod_name for line in lines],
        "podIps": [line.local_nsm_ip for line in lines if line.local_nsm_ip],
    }


async def _delete(api: Api, seen: Object) -> None:
    try:
        await api.delete(SLICEGATEWAYS, objects.name(seen), SYSTEM, uid=objects.uid(seen))
    except NotFound:
        return
