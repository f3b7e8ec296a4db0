"""Reports: status and conditions where they changed, an event where something turned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import apply_if_needed
from kubeslice.kube.errors import NotFound
from kubeslice.kube.events import Recorder
from kubeslice.kube.subset import owned_by
from kubeslice.model.resources import Resource
from kubeslice.plan import findings
from kubeslice.plan.findings import Finding
from kubeslice.plan.moments import stamp
from kubeslice.runtime.clock import Clock


@dataclass(frozen=True)
class Reporter:
    """Writes one field manager's part of a status on one API server, and only when it changes.

    `recorder` is None where events do not belong: they go into the cluster where something happened.
    """

    api: Api
    manager: str
    recorder: Recorder | None
    clock: Clock

    def now(self) -> str:
        """Return the time as Kubernetes writes it."""
        return stamp(self.clock.now())

    async def report(
        self,
        resource: Resource,
        obj: Object,
        found: Sequence[Finding],
        status: Mapping[str, Any] | None = None,
        *,
        unchanged: bool = False,
    ) -> bool:
        """Report findings and other status fields; return whether something was written.

        A turn of a condition is an event as well. Raises `Conflict` when `obj` must be `unchanged` since it was read
        and is not: where the next status is decided by the last one.
        """
        before, generation = objects.conditions(obj), int(obj["metadata"].get("generation") or 0)
        after = findings.conditions_after(before, found, generation, self.now())
        version = {"resourceVersion": obj["metadata"]["resourceVersion"]} if unchanged else {}
        wanted = {"metadata": _identity(obj) | version, "status": {**(status or {}), "conditions": after}}
        seen = _ours(obj, {finding.type for finding in found} | _told_before(self.manager, obj))
        try:
            written = await apply_if_needed(self.api, self.manager, resource, wanted, seen, subresource="status")
        except NotFound:
            return False
        for turn in findings.news(before, after):
            await self.event(resource, obj, turn["reason"], turn["message"], warning=findings.is_bad(turn))
        return written is not seen

    async def event(self, resource: Resource, obj: Object, reason: str, message: str, *, warning: bool = False) -> None:
        """Tell people that something happened to `obj`."""
        if self.recorder is not None:
            typed = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
            await self.recorder.emit(typed, "Warning" if warning else "Normal", reason, message)


def _identity(obj: Object) -> Object:
    namespace = objects.namespace(obj)
    return {"name": objects.name(obj)} | ({"namespace": namespace} if namespace else {})


def _ours(obj: Object, types: set[str]) -> Object:
    # Others keep conditions of their own in the same list (a worker on its Cluster); they are not for us to compare.
    ours = [entry for entry in objects.conditions(obj) if entry.get("type") in types]
    return {**obj, "status": {**objects.status(obj), "conditions": ours}}


def _told_before(manager: str, obj: Object) -> set[str]:
    """Return the types of conditions that `manager` wrote: one that is not found any more has to go."""
    owned = (owned_by(manager, obj, "status").get("f:status") or {}).get("f:conditions") or {}
    types = {str(entry.get("type")) for entry in objects.conditions(obj)}
    return {kind for kind in types if f'k:{{"type":"{kind}"}}' in owned}
