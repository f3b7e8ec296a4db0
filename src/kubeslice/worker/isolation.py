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
from kubeslice.plan.findings import Finding
from kubeslice.runtime.controller import Result
from kubeslice.worker.caches import Caches


@dataclass(frozen=True)
class Isolator:
    """Reconciles the NetworkPolicies of one slice by its name."""

    own: Api
    caches: Caches

    async def reconcile(self, key: Key) -> Result:
        """Make the NetworkPolicies what the Slice says; without a Slice there are none."""
        seen = self.caches.slice(key.name)
        is_here = seen is not None and not objects.is_deleting(seen)
        wanted = wanted_policies(self.caches, seen) if seen and is_here else []
        present = policies_of(self.caches, key.name)
        # What somebody added to a policy of ours is not theirs to add: it is written anew.
        altered = set(map(isolation.identity, isolation.altered(wanted, present)))
        trusted = [obj for obj in present if isolation.identity(obj) not in altered]
        await sync(self.own, names.WORKER_MANAGER, _items(wanted), _items(trusted))
        return Result(f"{len(wanted)} namespaces are isolated" if wanted or present else "")


def standing(caches: Caches, seen: Object) -> Finding | None:
    """Return the condition about the isolation of a Slice; none where nobody asked for it."""
    asked = part(seen)
    if asked is None:
        return None
    name, wanted = objects.name(seen), wanted_policies(caches, seen)
    ours = policies_of(caches, name)
    here = {objects.namespace(policy) for policy in wanted}
    foreign = [obj for obj in caches.own.policies.items() if not _is_ours(obj)]
    opened = isolation.openings(name, asked, here, foreign)
    return isolation.finding(len(wanted), isolation.altered(wanted, ours), opened)


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
    return [
        obj
        for obj in caches.own.policies.items()
        if _is_ours(obj) and objects.labels(obj).get(names.SLICE_LABEL) == slice_name
    ]


def _is_ours(obj: Object) -> bool:
    return objects.labels(obj).get(names.MANAGED_BY_LABEL) == names.WORKER_MANAGER


def _items(found: list[Object]) -> list[Item]:
    return [Item(NETWORKPOLICIES, obj) for obj in found]
