"""Slice → routers, and per plane a gateway with its Service, its keys and the right to read them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

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
from kubeslice.plan import pods
from kubeslice.plan.cluster import gateway_workloads, rollouts, worker_gateway, workloads
from kubeslice.plan.cluster.gateway_workloads import Exposure
from kubeslice.plan.cluster.rollouts import Release, Tunnels
from kubeslice.plan.cluster.workloads import Build, Owner
from kubeslice.runtime.clock import Clock
from kubeslice.runtime.controller import Result
from kubeslice.worker.caches import SYSTEM, Caches
from kubeslice.worker.planekeys import PlaneKeys

ASK_AGAIN = 1.0
HELD = (DEPLOYMENTS, SERVICES)


@dataclass(frozen=True)
class Workloads:
    """Reconciles the workloads of one slice by its name."""

    own: Api
    caches: Caches
    build: Build
    keys: PlaneKeys
    clock: Clock
    _exposed: dict[str, float] = field(default_factory=dict)  # when gateways of a slice were last moved elsewhere

    async def reconcile(self, key: Key) -> Result:
        """Make the workloads what the Slice asks for; none while it is on its way out."""
        seen = self.caches.slice(key.name) or {"metadata": {"name": key.name}}
        planes, owner = _planes(seen), Owner(key.name, objects.uid(seen))
        secrets = await self.keys.ensure(owner, objects.spec(seen), planes)
        made = [Item(resource, obj) for resource, obj in self.caches.made_for(key.name)]
        rest = self._rest(owner, planes)
        release = self._release(key.name, [item for item in rest if item.resource is DEPLOYMENTS])
        services = _services(owner, planes, gateway_workloads.exposure(objects.spec(seen), self._provider(seen)))
        exposure = self._exposure(key.name, services, release)
        # What pods start with comes first: without its account a pod is refused, and tried again late.
        leaving = self._leaving(key.name, planes)
        ground = [*_access(owner, planes, leaving), *_without(services.values(), exposure)]
        first = await self._sync(ground, [item for item in made if _id(item) in _ids(ground)])
        free = _without(rest, release)
        spared = _ids([*ground, *_in_use({*range(planes), *leaving}, made)]) | (_ids(rest) - _ids(free))
        second = await self._sync(free, [item for item in made if _id(item) not in spared])
        return _result(planes, secrets, [first, second], [release, exposure])

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

    def _exposure(self, name: str, wanted: Mapping[int, Item], upgrade: Release) -> Release:
        """Return which Services that are there stay as they are for now; upgrades come first."""
        changing = {plane: objects.name(item.object) for plane, item in wanted.items() if self._moves(item.object)}
        if not changing:
            return Release()
        now = self.clock.monotonic()
        moved = [objects.name(item.object) for plane, item in wanted.items() if plane not in changing]
        unsteady = upgrade.waiting or self._unsettled(name, moved, now)
        found = rollouts.exposure(changing, len(wanted), self._tunnels(name, len(wanted)), unsteady)
        if len(found.held) < len(changing):
            self._exposed[name] = now
        return found

    def _unsettled(self, name: str, moved: Iterable[str], now: float) -> str:
        """Return what was exposed anew before and may still turn out not to be reached, or nothing."""
        services = [(one, self.caches.own.services.get(one, SYSTEM)) for one in moved]
        if late := [one for one, seen in services if seen and gateway_workloads.awaits_balancer(seen)]:
            self._exposed[name] = now  # it is called at its old address until then
            return f"the load balancer of {late[0]}"
        is_settling = now < self._exposed.get(name, -rollouts.SETTLE) + rollouts.SETTLE
        return "the gateway that was exposed anew before to settle" if is_settling else ""

    def _moves(self, wanted: Object) -> bool:
        seen = self.caches.own.services.get(objects.name(wanted), SYSTEM)
        return seen is not None and not is_applied(seen, wanted, names.WORKER_MANAGER)

    def _tunnels(self, name: str, planes: int) -> Tunnels:
        """Return the tunnels of a slice as far as their gateways are here to stay."""
        gateway_pods = pods.on_slice(self.caches.pods_of(name), name, names.GATEWAY_POD)
        alive = {objects.name(pod) for pod in gateway_pods if not objects.is_deleting(pod)}
        pairs = [obj for obj in self.caches.gateways_of(name) if not objects.is_deleting(obj)]
        found = {}
        for pair in pairs:
            states = worker_gateway.planes_of(pair, planes, alive)
            found[str(objects.spec(pair).get("remoteCluster"))] = {state.plane: state.state for state in states}
        return found

    def _leaving(self, name: str, planes: int) -> set[int]:
        """Return the planes that are no more wanted and whose gateway still hands its traffic over."""
        running = pods.on_slice(self.caches.pods_of(name), name, names.GATEWAY_POD) if planes else []
        return {plane for pod in running if (plane := pods.plane(pod)) is not None and plane >= planes}

    def _provider(self, seen: Object) -> Object:
        config = self.caches.config(objects.name(seen))
        provider = objects.spec(config).get("sliceGatewayProvider") if config else None
        return provider or objects.status(seen).get("sliceConfig") or {}

    async def _sync(self, wanted: Sequence[Item], seen: Sequence[Item]) -> Changes:
        return await sync(self.own, names.WORKER_MANAGER, wanted, seen)


def _in_use(planes: Collection[int], made: Sequence[Item]) -> list[Item]:
    """Return the Secrets, which are `keys`' alone, and Services of these planes."""
    return [item for item in made if item.resource in (SECRETS, SERVICES) and pods.plane(item.object) in planes]


def _access(owner: Owner, planes: int, leaving: Collection[int]) -> list[Item]:
    if not planes:
        return []
    return [
        Item(SERVICEACCOUNTS, gateway_workloads.account(owner)),
        Item(ROLES, gateway_workloads.role(owner, {*range(planes), *leaving})),
    ]


def _services(owner: Owner, planes: int, exposure: Exposure) -> dict[int, Item]:
    return {plane: Item(SERVICES, gateway_workloads.service(owner, plane, exposure)) for plane in range(planes)}


def _planes(seen: Object) -> int:
    """Return how many planes a Slice has; none without a network, and none while it goes."""
    if objects.is_deleting(seen) or not objects.spec(seen).get("clusterSubnet"):
        return 0
    return int(objects.spec(seen).get("gatewayReplicas") or 1)


def _result(planes: int, secrets: Sequence[str], changes: Sequence[Changes], releases: Sequence[Release]) -> Result:
    applied = [f"Secret {name}" for name in secrets] + [name for change in changes for name in change.applied]
    written = [*applied, *(f"no {name}" for change in changes for name in change.deleted)]
    sentence = f"wrote {', '.join(written)}" if written else f"{planes} gateways and their routers are in place"
    waiting = [release.waiting for release in releases if release.held]
    return Result("; ".join([sentence, *waiting]), after=ASK_AGAIN if waiting else None)


def _without(items: Iterable[Item], release: Release) -> list[Item]:
    """Return the items that need not wait: of Deployments and Services only those that are not held."""
    return [item for item in items if item.resource not in HELD or objects.name(item.object) not in release.held]


def _ids(items: Iterable[Item]) -> set[tuple[str, str]]:
    return {_id(item) for item in items}


def _id(item: Item) -> tuple[str, str]:
    return item.resource.plural, objects.name(item.object)
