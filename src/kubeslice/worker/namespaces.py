"""Namespaces of slices: made where they are missing, labelled while they are on a slice, given back as they were."""

from dataclasses import dataclass

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import apply_if_needed
from kubeslice.kube.errors import Forbidden, NotFound
from kubeslice.kube.subset import owned_by
from kubeslice.model import names
from kubeslice.model.errors import Retry
from kubeslice.model.ids import Key
from kubeslice.model.resources import NAMESPACES
from kubeslice.plan.cluster import onboarding
from kubeslice.runtime.controller import Result
from kubeslice.runtime.reporting import Reporter
from kubeslice.worker import wishes
from kubeslice.worker.caches import Caches


@dataclass(frozen=True)
class Namespaces:
    """Reconciles one namespace by its name."""

    own: Api
    caches: Caches
    reporter: Reporter

    async def reconcile(self, key: Key) -> Result:
        """Onboard the namespace if a Slice names it, else offboard it."""
        slice_name = onboarding.slice_of(key.name, self.caches.own.slices.items())
        seen = self.caches.own.namespaces.get(key.name)
        if seen is not None and objects.is_deleting(seen):
            return Result("being deleted")
        if slice_name:
            return await self._onboard(key.name, slice_name, objects.spec(self.caches.slice(slice_name) or {}), seen)
        if seen is not None and owned_by(names.WORKER_MANAGER, seen):
            return await self._offboard(seen)
        return Result()

    async def _onboard(self, name: str, slice_name: str, spec: Object, seen: Object | None) -> Result:
        if seen is None and spec.get("onlyExisting"):
            return Result(f"not there; slice {slice_name} does not make it")
        has_network = bool(spec.get("clusterSubnet"))
        made_by_us = seen is None or onboarding.is_made_by_us(seen)
        wanted = onboarding.onboarded(name, slice_name, made_by_us=made_by_us, has_network=has_network)
        written = await apply_if_needed(self.own, names.WORKER_MANAGER, NAMESPACES, wanted, seen)
        if written is not seen:
            await self.reporter.event(NAMESPACES, written, "Onboarded", _news(slice_name, has_network))
        return Result(f"on slice {slice_name}")

    async def _offboard(self, seen: Object) -> Result:
        """Take the labels off and, when nobody else needs it, remove a namespace that was made for a slice.

        Raises `Retry` while it is not empty, because the API tells nobody that something became empty, and while
        another slice asks for it: a namespace that is made anew has lost what was put into it meanwhile.
        """
        if onboarding.is_labelled(seen):
            wanted = onboarding.offboarded(seen)
            seen = await self.own.apply(NAMESPACES, wanted, manager=names.WORKER_MANAGER)
            await self.reporter.event(NAMESPACES, seen, "Offboarded", "pods here are on no slice any more")
        if not onboarding.is_made_by_us(seen):
            return Result("off its slice")
        heir = wishes.asking_for(objects.name(seen), self.caches)
        if heir:
            raise Retry(f"off its slice and kept for slice {heir}, which asks for it")
        content = await self._content(objects.name(seen))
        if content:
            raise Retry(f"off its slice and kept, because it holds {content}")
        await self._delete(seen)
        return Result("off its slice and deleted, because it was made for the slice and is empty")

    async def _delete(self, seen: Object) -> None:
        try:
            await self.own.delete(NAMESPACES, objects.name(seen), uid=objects.uid(seen))
        except NotFound:
            return

    async def _content(self, namespace: str) -> str:
        """Return the first kind of object that somebody keeps in a namespace."""
        for resource in onboarding.CONTENT:
            try:
                found = (await self.own.list(resource, namespace)).items
            except NotFound:
                continue
            except Forbidden:
                return f"possibly {resource.plural}, which the operator may not see"
            if any(onboarding.is_content(resource, obj) for obj in found):
                return resource.plural
        return ""


def _news(slice_name: str, has_network: bool) -> str:
    return f"pods here join slice {slice_name}" if has_network else f"on slice {slice_name}, which has no network"
