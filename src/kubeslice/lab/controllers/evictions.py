"""Deletes pods from nodes whose NoExecute taints they tolerate no longer, each when its tolerationSeconds are over.

Source: pkg/controller/tainteviction.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import Conflict, NotFound
from kubeslice.kube.events import Recorder
from kubeslice.kube.informer import Informer
from kubeslice.lab.controllers import affinity, pods
from kubeslice.lab.controllers.index import Index
from kubeslice.lab.controllers.keys import keys_of
from kubeslice.model.ids import Key
from kubeslice.model.resources import PODS
from kubeslice.runtime.clock import Clock
from kubeslice.runtime.controller import Controller, Result
from kubeslice.runtime.sources import Source


class Evictions:
    """Reconciles one pod at a time."""

    def __init__(self, api: Api, pod_informer: Informer, nodes: Informer, clock: Clock) -> None:
        self._api = api
        self._pods = pod_informer
        self._nodes = nodes
        self._clock = clock
        self._recorder = Recorder(api, "taint-eviction-controller")
        self._by_node = Index(pod_informer, lambda pod: [pods.node(pod)] if pods.is_active(pod) else [])
        sources = [Source(pod_informer, keys_of), Source(nodes, self._keys_of_node)]
        self.controller = Controller("taint-eviction", self, sources)

    async def reconcile(self, key: Key) -> Result:
        """Delete the pod when it is time."""
        pod = self._pods.get(key.name, key.namespace)
        node = self._nodes.get(pods.node(pod)) if pod else None
        if pod is None or node is None or not pods.is_active(pod):
            return Result()
        left = seconds_left(pod, affinity.taints(node, ("NoExecute",)), self._clock.now())
        if left is None or left > 0:
            return Result(after=left)
        try:
            await self._api.delete(PODS, key.name, key.namespace, uid=objects.uid(pod))
        except (NotFound, Conflict):
            return Result()
        await self._recorder.emit(
            pod, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {key.namespace}/{key.name}"
        )
        return Result(f"pod {key.name} evicted from {pods.node(pod)}")

    def _keys_of_node(self, node: Object) -> Iterable[Key]:
        return [key for pod in self._by_node.get(objects.name(node)) for key in keys_of(pod)]


def seconds_left(pod: Object, taints: Sequence[dict[str, Any]], now: datetime) -> float | None:
    """Return how long the pod may stay with these NoExecute taints on its node; None means for ever."""
    return min((left for taint in taints if (left := _seconds_left(pod, taint, now)) is not None), default=None)


def _seconds_left(pod: Object, taint: dict[str, Any], now: datetime) -> float | None:
    covering = [each for each in objects.spec(pod).get("tolerations") or [] if affinity.covers(each, taint)]
    if not covering:
        return 0.0
    limits = [int(each["tolerationSeconds"]) for each in covering if each.get("tolerationSeconds") is not None]
    if not limits:
        return None
    since = pods.parse_time(taint["timeAdded"]) if taint.get("timeAdded") else now
    return max(0.0, min(limits) - (now - since).total_seconds())
