"""Limits of slices here: a ResourceQuota in each namespace that is limited, for as long as it is on the slice.

What is wanted is in the spec of the Slice; so limits stay in force while the hub does not answer.
"""

from dataclasses import dataclass

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import Item, sync
from kubeslice.model import names
from kubeslice.model.ids import Key
from kubeslice.model.quotas import QuotaPart
from kubeslice.model.resources import RESOURCEQUOTAS
from kubeslice.plan.cluster import worker_quotas
from kubeslice.plan.cluster.worker_quotas import Export
from kubeslice.runtime.controller import Result
from kubeslice.worker.caches import Caches


@dataclass(frozen=True)
class Quotas:
    """Reconciles the ResourceQuotas of one slice by its name."""

    own: Api
    caches: Caches

    async def reconcile(self, key: Key) -> Result:
        """Make the ResourceQuotas what the Slice says; without a Slice there are none."""
        seen = self.caches.slice(key.name)
        is_here = seen is not None and not objects.is_deleting(seen)
        wanted = (
            worker_quotas.resource_quotas(key.name, part(seen), self.caches.namespaces_of(seen))
            if seen and is_here
            else []
        )
        present = quotas_of(self.caches, key.name)
        await sync(self.own, names.WORKER_MANAGER, _items(wanted), _items(present))
        return Result(f"{len(wanted)} namespaces are limited" if wanted or present else "")


def part(seen: Object | None) -> QuotaPart | None:
    """Return the limits that a Slice is under here."""
    limits = objects.spec(seen).get("resourceQuota") if seen else None
    return QuotaPart.model_validate(limits) if limits else None


def quotas_of(caches: Caches, slice_name: str) -> list[Object]:
    """Return the ResourceQuotas of a slice."""
    return [obj for obj in caches.own.quotas.items() if objects.labels(obj).get(names.SLICE_LABEL) == slice_name]


def exports_of(caches: Caches, slice_name: str) -> list[Export]:
    """Return the exports of a slice that has limits."""
    seen = caches.slice(slice_name)
    onboarded = (objects.spec(seen).get("namespaces") or []) if seen else []
    return worker_quotas.exports_of(caches.title(slice_name), onboarded, caches.own.exports.items())


def _items(found: list[Object]) -> list[Item]:
    return [Item(RESOURCEQUOTAS, obj) for obj in found]
