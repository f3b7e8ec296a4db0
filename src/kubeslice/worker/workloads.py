"""Slice → router Deployment, and per plane gateway Deployment, Service and key Secret."""

from collections.abc import Callable
from dataclasses import dataclass

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import Item, sync
from kubeslice.kube.errors import AlreadyExists
from kubeslice.model import names
from kubeslice.model.ids import Key
from kubeslice.model.resources import DEPLOYMENTS, SECRETS, SERVICES, Resource
from kubeslice.plan import workloads
from kubeslice.plan.workloads import Build, KeyPair, Owner
from kubeslice.runtime.controller import Result
from kubeslice.worker.caches import Caches


@dataclass(frozen=True)
class Workloads:
    """Reconciles the workloads of one slice by its name."""

    own: Api
    caches: Caches
    build: Build
    new_pair: Callable[[], KeyPair]

    async def reconcile(self, key: Key) -> Result:
        """Make the workloads what the Slice asks for; none while it is on its way out."""
        seen = self.caches.slice(key.name)
        planes = _planes(seen)
        owner = Owner(key.name, objects.uid(seen) if seen else "")
        made = list(self.caches.made_for(key.name))
        await self._make_keys(owner, planes, [objects.name(obj) for resource, obj in made if resource is SECRETS])
        changes = await sync(
            self.own, names.WORKER_MANAGER, self._wanted(owner, planes), _replaceable(owner, planes, made)
        )
        written = [*changes.applied, *(f"no {gone}" for gone in changes.deleted)]
        return Result(f"wrote {', '.join(written)}" if written else f"{planes} gateways and their router are in place")

    def _wanted(self, owner: Owner, planes: int) -> list[Item]:
        if not planes:
            return []
        deployments = [Item(DEPLOYMENTS, obj) for obj in workloads.deployments(owner, planes, self.build)]
        return deployments + [Item(SERVICES, obj) for obj in workloads.services(owner, planes)]

    async def _make_keys(self, owner: Owner, planes: int, existing: list[str]) -> None:
        for plane in workloads.planes_without_key(owner, planes, existing):
            try:
                await self.own.create(SECRETS, workloads.gateway_secret(owner, plane, self.new_pair()))
            except AlreadyExists:
                # The cache is a moment behind; a key that exists is never replaced.
                continue


def _planes(seen: Object | None) -> int:
    """Return how many planes a Slice has; none without a network, and none while it goes."""
    if seen is None or objects.is_deleting(seen) or not objects.spec(seen).get("clusterSubnet"):
        return 0
    return int(objects.spec(seen).get("gatewayReplicas") or 1)


def _replaceable(owner: Owner, planes: int, made: list[tuple[Resource, Object]]) -> list[Item]:
    """Return what exists and may be rewritten or deleted: everything but the keys in use."""
    keys_in_use = {names.gateway_deployment(owner.name, plane) for plane in range(planes)}
    return [
        Item(resource, obj) for resource, obj in made if not (resource is SECRETS and objects.name(obj) in keys_in_use)
    ]
