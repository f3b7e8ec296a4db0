"""WorkerSliceConfig on the hub → Slice here, and the last step of a slice's end: everything else of it must be gone."""

from dataclasses import dataclass, field

from kubeslice.kube import finalizers, objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import apply_if_needed
from kubeslice.kube.errors import NotFound
from kubeslice.model import names
from kubeslice.model.ids import Key
from kubeslice.model.resources import SLICES, WORKERSLICECONFIGS
from kubeslice.model.slice import Slice, SliceSpec
from kubeslice.plan import pods
from kubeslice.plan.cluster import worker_slice
from kubeslice.plan.cluster.worker_slice import Terrain, Wish
from kubeslice.runtime.controller import Result
from kubeslice.runtime.reporting import Reporter
from kubeslice.worker import isolation, wishes
from kubeslice.worker.caches import SYSTEM, Caches
from kubeslice.worker.membership import Membership


@dataclass(frozen=True)
class Slices:
    """Reconciles one slice by its name. One at a time, because slices share the VNIs of the cluster."""

    own: Api
    caches: Caches
    reporter: Reporter
    _told: dict[str, tuple[str, str]] = field(default_factory=dict)

    async def reconcile(self, key: Key) -> Result:
        """Make the Slice what is wanted, or let it go."""
        seen = self.caches.slice(key.name)
        wish = wishes.of(key.name, self.caches)
        if seen is not None and (wish is None or objects.is_deleting(seen)):
            self.caches.forgotten.found(key.name)
            return await self._dismantle(key.name, seen)
        membership = self.caches.membership_of(key.name)
        if wish is None:
            return await _release(key.name, membership)
        config = self.caches.config(key.name)
        if config is not None and membership is not None:
            await finalizers.add(membership.api, WORKERSLICECONFIGS, config, names.WORKER_SLICE_CONFIG_FINALIZER)
        return await self._build(wish, seen, membership)

    async def _build(self, wish: Wish, seen: Object | None, membership: Membership | None) -> Result:
        before = Slice.parse(seen) if seen else None
        granted = wishes.granted(wish, before, self.caches)
        cluster = membership.member.name if membership else ""
        terrain = await self._terrain(wish.name, cluster, before.spec if before else None)
        spec = worker_slice.spec(wish, granted.namespaces, terrain, before.spec if before else None)
        project = membership.member.project if membership else objects.labels(seen or {}).get(names.PROJECT_LABEL, "")
        wanted = _object(wish.name, project, spec)
        written = await apply_if_needed(self.own, names.WORKER_MANAGER, SLICES, wanted, seen)
        sentence = f"subnet {spec.cluster_subnet or 'none'}, namespaces {', '.join(spec.namespaces) or 'none'}"
        if seen is None:
            await self._tell(written, "SliceCreated", sentence)
        if self.caches.forgotten.until(wish.name) is not None:
            return Result("kept, though the hub has forgotten it", after=self.caches.forgotten.left(wish.name))
        return Result(sentence)

    async def _tell(self, seen: Object, reason: str, sentence: str) -> None:
        # The cache may not know yet what was done and told a moment ago.
        name, news = objects.name(seen), (reason, objects.uid(seen))
        if self._told.get(name) != news:
            self._told[name] = news
            await self.reporter.event(SLICES, seen, reason, sentence)

    async def _terrain(self, name: str, cluster: str, before: SliceSpec | None) -> Terrain:
        others = self.caches.own.slices.items()
        if before is None or before.vni is None:
            # The cache may lag behind the Slice that got the last VNI a moment ago.
            others = (await self.own.list(SLICES, SYSTEM)).items
        vnis = {int(vni) for obj in others if objects.name(obj) != name and (vni := objects.spec(obj).get("vni"))}
        known_as = cluster or (before.cluster_name if before else "")
        return worker_slice.terrain(known_as, self.caches.own.nodes.items(), self.caches.pods_of(name), vnis)

    async def _dismantle(self, name: str, seen: Object) -> Result:
        if not objects.is_deleting(seen):
            await _delete(self.own, seen)
            return Result("being removed from this cluster")
        left = self._leftovers(name)
        if left:
            return Result(f"being removed, waiting for {', '.join(left)}")
        await finalizers.remove(self.own, SLICES, seen, names.SLICE_FINALIZER)
        await self._tell(seen, "SliceDeleted", "nothing of it is left in this cluster")
        return Result("removed from this cluster")

    def _leftovers(self, name: str) -> list[str]:
        """Return what of a slice is still here, in words."""
        own = self.caches.own
        workers = [pod for pod in self.caches.pods_of(name) if pods.role(pod) in {names.ROUTER_POD, names.GATEWAY_POD}]
        counts = {
            "imported service": sum(objects.spec(obj).get("slice") == name for obj in own.imports.items()),
            "gateway": len(self.caches.gateways_of(name)),
            "workload": sum(1 for _ in self.caches.made_for(name)),
            "router or gateway pod": len(workers),
            "resource quota": sum(objects.labels(obj).get(names.SLICE_LABEL) == name for obj in own.quotas.items()),
            "isolated namespace": len(isolation.policies_of(self.caches, name)),
            "labelled namespace": sum(
                objects.labels(obj).get(names.SLICE_LABEL) == name and not objects.is_deleting(obj)
                for obj in own.namespaces.items()
            ),
        }
        return [f"{count} {what}{'' if count == 1 else 's'}" for what, count in counts.items() if count]


async def _release(name: str, membership: Membership | None) -> Result:
    config = membership.caches.config(name) if membership else None
    if membership is None or config is None:
        return Result()
    await finalizers.remove(membership.api, WORKERSLICECONFIGS, config, names.WORKER_SLICE_CONFIG_FINALIZER)
    return Result("removed; the hub knows")


def _object(name: str, project: str, spec: SliceSpec) -> Object:
    metadata = {
        "name": name,
        "namespace": SYSTEM,
        "labels": {names.SLICE_LABEL: name, names.PROJECT_LABEL: project},
        "finalizers": [names.SLICE_FINALIZER],
    }
    return {"metadata": metadata, "spec": spec.wire()}


async def _delete(api: Api, seen: Object) -> None:
    try:
        await api.delete(SLICES, objects.name(seen), SYSTEM, uid=objects.uid(seen))
    except NotFound:
        return
