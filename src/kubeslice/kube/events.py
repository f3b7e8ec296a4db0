"""Events that people see in `kubectl describe`: one per transition, counted when it repeats, never a flood."""

import hashlib
import logging
from datetime import UTC, datetime
from typing import Literal

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import AlreadyExists, ApiError
from kubeslice.model.resources import EVENTS
from kubeslice.plan.moments import stamp

log = logging.getLogger(__name__)

MESSAGE_LIMIT = 1024


class Recorder:
    """Writes events in the name of one component. Failing to write one never fails the work it tells of."""

    def __init__(self, api: Api, component: str) -> None:
        self._api = api
        self._component = component

    async def emit(self, obj: Object, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        """Tell that `reason` happened to `obj`; `reason` is CamelCase, `message` one sentence."""
        event = self._event(obj, kind, reason, message[:MESSAGE_LIMIT])
        try:
            await self._api.create(EVENTS, event)
        except AlreadyExists:
            await self._count(event)
        except ApiError as error:
            log.debug("event %s not written: %s", reason, error.message)

    async def _count(self, event: Object) -> None:
        name, namespace = event["metadata"]["name"], event["metadata"]["namespace"]
        try:
            seen = await self._api.get(EVENTS, name, namespace)
            change = {"count": int(seen.get("count") or 1) + 1, "lastTimestamp": event["lastTimestamp"]}
            await self._api.patch(EVENTS, name, namespace, change)
        except ApiError as error:
            log.debug("event %s not counted: %s", event["reason"], error.message)

    def _event(self, obj: Object, kind: str, reason: str, message: str) -> Object:
        now = stamp(datetime.now(UTC))
        same = f"{self._component}/{objects.uid(obj)}/{kind}/{reason}/{message}"
        digest = hashlib.sha256(same.encode()).hexdigest()[:16]
        namespace = objects.namespace(obj) or "default"
        return {
            "metadata": {"name": f"{objects.name(obj)[:200]}.{digest}", "namespace": namespace},
            "involvedObject": {
                "apiVersion": obj.get("apiVersion", ""),
                "kind": obj.get("kind", ""),
                "name": objects.name(obj),
                "namespace": objects.namespace(obj),
                "uid": objects.uid(obj),
            },
            "type": kind,
            "reason": reason,
            "message": message,
            "source": {"component": self._component},
            "reportingComponent": self._component,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
