"""Reports of the hub: status and conditions where they changed, an event where something turned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import apply_if_needed
from kubeslice.kube.errors import NotFound
from kubeslice.kube.events import Recorder
from kubeslice.model import conditions, names
from kubeslice.model.resources import Resource
from kubeslice.plan import findings
from kubeslice.plan.findings import Finding
from kubeslice.runtime.clock import Clock


@dataclass(frozen=True)
class Reporter:
    """Writes the hub's part of an object's status, and only when it changes."""

    api: Api
    recorder: Recorder
    clock: Clock

    async def report(
        self, resource: Resource, obj: Object, found: Sequence[Finding], status: Mapping[str, Any] | None = None
    ) -> None:
        """Report findings and other status fields; a turn of the Ready condition is an event as well."""
        now = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        before, generation = objects.conditions(obj), int(obj["metadata"].get("generation") or 0)
        after = findings.conditions_after(before, found, generation, now)
        wanted = {"metadata": _identity(obj), "status": {**(status or {}), "conditions": after}}
        seen = _ours(obj, {finding.type for finding in found})
        try:
            await apply_if_needed(self.api, names.HUB_MANAGER, resource, wanted, seen, subresource="status")
        except NotFound:
            return
        for turn in findings.transitions(before, after):
            if turn["type"] == conditions.READY:
                await self._emit(resource, obj, turn)

    async def event(self, resource: Resource, obj: Object, reason: str, message: str, *, warning: bool = False) -> None:
        """Tell people that something happened to `obj`."""
        typed = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
        await self.recorder.emit(typed, "Warning" if warning else "Normal", reason, message)

    async def _emit(self, resource: Resource, obj: Object, turn: Mapping[str, Any]) -> None:
        await self.event(resource, obj, turn["reason"], turn["message"], warning=turn["status"] != "True")


def _identity(obj: Object) -> Object:
    namespace = objects.namespace(obj)
    return {"name": objects.name(obj)} | ({"namespace": namespace} if namespace else {})


def _ours(obj: Object, types: set[str]) -> Object:
    # Others (a worker, on its Cluster) keep conditions of their own in the same list; they are not for us to compare.
    ours = [entry for entry in objects.conditions(obj) if entry.get("type") in types]
    return {**obj, "status": {**objects.status(obj), "conditions": ours}}
