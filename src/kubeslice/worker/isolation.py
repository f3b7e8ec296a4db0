"""Isolation of slices here: a NetworkPolicy in each of their namespaces, for as long as isolation is on.

What is wanted is in the spec of the Slice; so namespaces stay isolated while the hub does not answer.
"""

from dataclasses import dataclass

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import Item, sync
from kubeslice.model import names
from kubeslice.model.ids import Key
from kubeslice.model.resources import NETWORKPOLICIES
from kubeslice.model.slice import Isolation
from kubeslice.plan.cluster import isolation
from kubeslice.plan.cluster.isolation import Opening
from kubeslice.plan.findings import Finding
from kubeslice.runtime.controller import Result
from kubeslice.worker.caches import Caches
from kubeslice.worker.incidents import Incidents


@dataclass(frozen=True)
class Isolator:
    """Reconciles the NetworkPolicies of one slice by its name."""

    own: Api
    caches: Caches
    incidents: Incidents

    async def reconcile(self, key: Key) -> Result:
        """Make the NetworkPolicies what the Slice says; without a Slice there are none."""
        seen = self.caches.slice(key.name)
        if seen is None or objects.is_deleting(seen):
            self.incidents.forget(key.name)
            return await self._make(key.name, [])
        wanted = wanted_policies(self.caches, seen)
        look = self.incidents.look(wanted, _openings(self.caches, seen, wanted))
        result = await self._make(key.name, wanted)
        await self.incidents.tell(seen, look)
        return result

    async def _make(self, slice_name: str, wanted: list[Object]) -> Result:
        present = policies_of(self.caches, slice_name)
        # What somebody added to a policy of ours is not theirs to add: it is written anew.
        altered = set(map(isolation.identity, isolation.altered(wanted, present)))
        trusted = [obj for obj in present if isolation.identity(obj) not in altered]
        await sync(self.own, names.WORKER_MANAGER, _items(wanted), _items(trusted))
        return Result(f"{len(wanted)} namespaces are isolated" if wanted or present else "")


def standing(caches: Caches, seen: Object) -> Finding | None:
    """Return the condition about the isolation of a Slice; none where nobody asked for it."""
    if part(seen) is None:
        return None
    wanted = wanted_policies(caches, seen)
    missing = isolation.altered(wanted, policies_of(caches, objects.name(seen)))
    return isolation.finding(len(wanted), missing, _openings(caches, seen, wanted))


def is_installed(caches: Caches, seen: Object) -> bool:
    """Tell whether a Slice is isolated and every namespace of it has its policy."""
    if part(seen) is None:
        return False
    return not isolation.altered(wanted_policies(caches, seen), policies_of(caches, objects.name(seen)))


def part(seen: Object) -> Isolation | None:
    """Return what isolates a Slice."""
    asked = objects.spec(seen).get("isolation")
    return None if asked is None else Isolation.model_validate(asked)


def wanted_policies(caches: Caches, seen: Object) -> list[Object]:
    """Return the NetworkPolicies of a Slice's namespaces that are there to stay."""
    return isolation.policies(objects.name(seen), part(seen), caches.namespaces_of(seen))


def policies_of(caches: Caches, slice_name: str) -> list[Object]:
    """Return the NetworkPolicies that the operator made for a slice."""
    return [obj for obj in caches.own.policies.items() if isolation.made_for(obj) == slice_name]


def _openings(caches: Caches, seen: Object, wanted: list[Object]) -> list[Opening]:
    asked, ours = part(seen), set(map(isolation.identity, wanted))
    found = caches.own.policies.items()
    foreign = [obj for obj in found if not isolation.made_for(obj) and isolation.identity(obj) not in ours]
    here = {namespace for namespace, _ in ours}
    return isolation.openings(objects.name(seen), asked, here, foreign) if asked else []


def _items(found: list[Object]) -> list[Item]:
    return [Item(NETWORKPOLICIES, obj) for obj in found]
