"""The Secrets of a slice's planes, brought in line with the generations of keys in force.

A key that is in force is never replaced: whatever the cache says, each change is made to what the API server holds,
and refused there when somebody changed that meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import AlreadyExists, Conflict, NotFound
from kubeslice.model import names
from kubeslice.model.errors import Retry
from kubeslice.model.resources import SECRETS
from kubeslice.plan.cluster import gateway_workloads
from kubeslice.plan.cluster.workloads import Owner
from kubeslice.plan.keys import gateway_keys
from kubeslice.plan.keys.gateway_keys import Identity, Makers, Shared
from kubeslice.worker.caches import SYSTEM, Caches
from kubeslice.worker.membership import Membership


@dataclass(frozen=True)
class PlaneKeys:
    """Keeps the Secrets of planes."""

    own: Api
    caches: Caches
    makers: Makers

    async def ensure(self, owner: Owner, spec: Object, planes: int) -> list[str]:
        """Make the Secrets of a slice's planes what its `spec` asks for; return the names of those written."""
        return [name for plane in range(planes) if (name := await self._ensure(owner, spec, plane))]

    async def _ensure(self, owner: Owner, spec: Object, plane: int) -> str:
        name = names.gateway_deployment(owner.name, plane)
        if not self._changes(owner, spec, plane, self.caches.own.secrets.get(name, SYSTEM)):
            return ""
        seen = await _read(self.own, name)
        changes = self._changes(owner, spec, plane, seen)
        if not changes:
            return ""
        try:
            await self._write(owner, plane, seen, changes)
        except (AlreadyExists, Conflict, NotFound) as race:
            raise Retry(f"the Secret {name} changed meanwhile") from race
        return name

    async def _write(self, owner: Owner, plane: int, seen: Object | None, changes: Mapping[str, str | None]) -> None:
        if seen is None:
            await self.own.create(SECRETS, gateway_workloads.secret(owner, plane, changes))
            return
        version = seen["metadata"]["resourceVersion"]
        patch = {"metadata": {"resourceVersion": version}, "data": dict(changes)}
        await self.own.patch(SECRETS, objects.name(seen), SYSTEM, patch)

    def _changes(self, owner: Owner, spec: Object, plane: int, secret: Object | None) -> Mapping[str, str | None]:
        seen = gateway_keys.texts(secret)
        config = self.caches.config(owner.name)
        shared = self._shared(owner.name, plane, gateway_keys.generations(spec, plane), seen)
        wanted = gateway_keys.wanted(spec, objects.spec(config) if config else {}, plane, shared)
        membership = self.caches.membership_of(owner.name)
        project = membership.member.project if membership else ""
        identity = Identity(project, str(spec.get("sliceName")), str(spec.get("clusterName")), plane)
        after = gateway_keys.content(seen, wanted, identity, self.makers)
        return gateway_keys.changes((secret or {}).get("data") or {}, after)

    def _shared(self, slice_name: str, plane: int, in_force: Sequence[int], seen: Mapping[str, str]) -> Shared:
        membership = self.caches.membership_of(slice_name)
        if membership is None or not self.caches.is_known(slice_name):
            return gateway_keys.kept(seen, in_force)
        secrets = {objects.name(secret): secret for secret in membership.caches.secrets.items()}
        told = gateway_keys.pre_shared(membership.caches.pairs_of(slice_name), secrets, plane, in_force, seen)
        # Of pairs that the hub has forgotten the gateways go on, and so do their keys.
        going_on = {str(objects.spec(pair).get("remoteCluster")) for pair in self._forgotten(slice_name, membership)}
        held = gateway_keys.kept(seen, in_force) if going_on else {}
        return {place: key for place, key in held.items() if place[0] in going_on} | dict(told)

    def _forgotten(self, slice_name: str, membership: Membership) -> list[Object]:
        """Return the pairs that are here to stay for now, though the hub does not know them any more."""
        here = [pair for pair in self.caches.gateways_of(slice_name) if not objects.is_deleting(pair)]
        missing = [pair for pair in here if membership.caches.pair(objects.name(pair)) is None]
        return [pair for pair in missing if self.caches.forgotten.keeps(objects.name(pair))]


async def _read(api: Api, name: str) -> Object | None:
    try:
        return await api.get(SECRETS, name, SYSTEM)
    except NotFound:
        return None
