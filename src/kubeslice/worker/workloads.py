"""Slice → routers, and per plane a gateway with its Service, its keys and the right to read them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import Changes, Item, sync
from kubeslice.kube.subset import is_applied
from kubeslice.model import names
from kubeslice.model.ids import Key
from kubeslice.model.resources import (
    DEPLOYMENTS,
    PODDISRUPTIONBUDGETS,
    ROLEBINDINGS,
    ROLES,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICES,
)
from kubeslice.plan import gateway_workloads, pods, rollouts, workloads
from kubeslice.plan.gateway_workloads import Exposure
from kubeslice.plan.rollouts import Release
from kubeslice.plan.workloads import Build, Owner
from kubeslice.runtime.clock import Clock
from kubeslice.runtime.controller import Result
from kubeslice.worker.caches import SYSTEM, Caches
from kubeslice.worker.planekeys import PlaneKeys

ASK_AGAIN = 1.0


@dataclass(frozen=True)
class Workloads:
    """Reconciles the workloads of one slice by its name."""

    own: Api
    caches: Caches
    build: Build
    keys: PlaneKeys
    clock: Clock

    async def reconcile(self, key: Key) -> Result:
        """Make the workloads what the Slice asks for; none while it is on its way out."""
        seen = self.caches.slice(key.name) or {"metadata": {"name": key.name}}
        planes, owner = _planes(seen), Owner(key.name, objects.uid(seen))
        secrets = await self.keys.ensure(owner, objects.spec(seen), planes)
        made = [Item(resource, obj) for resource, obj in self.caches.made_for(key.name)]
        exposure = gateway_workloads.exposure(objects.spec(seen), self._provider(seen))
        # What pods start with comes first: without its account a pod is refused, and tried again late.
        leaving = self._leaving(key.name, planes)
        ground = _ground(owner, planes, leaving, exposure)
        first = await self._sync(ground, [item for item in made if _id(item) in _ids(ground)])
        rest = self._rest(owner, planes)
        release = self._release(key.name, [item for item in rest if item.resource is DEPLOYMENTS])
        held = [item for item in rest if item.resource is DEPLOYMENTS and objects.name(item.object) in release.held]
        spared = _ids(ground) | _ids(held) | _ids(_in_use({*range(planes), *leaving}, made))
        second = await self._sync(
            [item for item in rest if item not in held], [item for item in made if _id(item) not in spared]
        )
        return _result(planes, secrets, [first, second], release)

    def _rest(self, owner: Owner, planes: int) -> list[Item]:
        if not planes:
            return []
        gateways = [gateway_workloads.deployment(owner, plane, self.build) for plane in range(planes)]
        return [
            *(Item(ROLEBINDINGS, obj) for obj in gateway_workloads.bindings(owner)),
            *(Item(DEPLOYMENTS, obj) for obj in [*workloads.routers(owner, self.build), *gateways]),
            *(
                Item(PODDISRUPTIONBUDGETS, obj)
                for obj in [*workloads.budgets(owner), *gateway_workloads.budgets(owner, planes)]
            ),
        ]

    def _release(self, name: str, wanted: Sequence[Item]) -> Release:
        seen = {objects.name(obj): obj for obj in self.caches.own.deployments.items(SYSTEM)}
        order = [objects.name(item.object) for item in wanted]
        differing = {
            objects.name(item.object)
            for item in wanted
            if not is_applied(seen.get(objects.name(item.object)), item.object, names.WORKER_MANAGER)
        }
        if not differing:
            return Release(frozenset())
        gateway_pods = pods.on_slice(self.caches.pods_of(name), name, names.GATEWAY_POD)
        gateways = [obj for obj in self.caches.gateways_of(name) if not objects.is_deleting(obj)]
        unsteady = rollouts.missing_tunnel(gateways, gateway_pods, self.clock.now())
        return rollouts.release(order, differing, seen, unsteady)

    def _leaving(self, name: str, planes: int) -> set[int]:
        """Return the planes that are no more wanted and whose gateway still hands its traffic over."""
        running = pods.on_slice(self.caches.pods_of(name), name, names.GATEWAY_POD) if planes else []
        return {plane for pod in running if (plane := pods.plane(pod)) is not None and plane >= planes}

    def _provider(self, seen: Object) -> Object:
        config = self.caches.hub.config(objects.name(seen))
        provider = objects.spec(config).get("sliceGatewayProvider") if config else None
        return provider or objects.status(seen).get("sliceConfig") or {}

    async def _sync(self, wanted: Sequence[Item], seen: Sequence[Item]) -> Changes:
        return await sync(self.own, names.WORKER_MANAGER, wanted, seen)


def _in_use(planes: Collection[int], made: Sequence[Item]) -> list[Item]:
    """Return the Secrets, which are `keys`' alone, and Services of these planes."""
    return [item for item in made if item.resource in (SECRETS, SERVICES) and pods.plane(item.object) in planes]


def _ground(owner: Owner, planes: int, leaving: Collection[int], exposure: Exposure) -> list[Item]:
    if not planes:
        return []
    return [
        Item(SERVICEACCOUNTS, gateway_workloads.account(owner)),
        Item(ROLES, gateway_workloads.role(owner, {*range(planes), *leaving})),
        *(Item(SERVICES, gateway_workloads.service(owner, plane, exposure)) for plane in range(planes)),
    ]


def _planes(seen: Object) -> int:
    """Return how many planes a Slice has; none without a network, and none while it goes."""
    if objects.is_deleting(seen) or not objects.spec(seen).get("clusterSubnet"):
        return 0
    return int(objects.spec(seen).get("gatewayReplicas") or 1)


def _result(planes: int, secrets: Sequence[str], changes: Sequence[Changes], release: Release) -> Result:
    applied = [f"Secret {name}" for name in secrets] + [name for change in changes for name in change.applied]
    written = [*applied, *(f"no {name}" for change in changes for name in change.deleted)]
    sentence = f"wrote {', '.join(written)}" if written else f"{planes} gateways and their routers are in place"
    if not release.held:
        return Result(sentence)
    return Result(f"{sentence}; {release.waiting}", after=ASK_AGAIN)


def _ids(items: Iterable[Item]) -> set[tuple[str, str]]:
    return {_id(item) for item in items}


def _id(item: Item) -> tuple[str, str]:
    return item.resource.plural, objects.name(item.object)
