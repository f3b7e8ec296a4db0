"""Binds waiting pods to nodes, one decision at a time, and tries the refused ones again when something changes."""

import asyncio
import json
from collections.abc import Iterable

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.errors import Conflict, NotFound
from kubeslice.kube.events import Recorder
from kubeslice.kube.informer import Informer
from kubeslice.kube.requests import JSON, Request, path
from kubeslice.lab.controllers import pods, scheduling
from kubeslice.lab.controllers.affinity import Machine
from kubeslice.lab.controllers.index import Index
from kubeslice.lab.controllers.raw import RawApi
from kubeslice.model.ids import Key
from kubeslice.model.resources import PODS
from kubeslice.runtime.controller import Controller, Result
from kubeslice.runtime.sources import Source


class Scheduler:
    """Reconciles pods without a node. A decision is assumed to hold until the informer shows the binding."""

    def __init__(self, api: RawApi, pod_informer: Informer, node_informer: Informer) -> None:
        self._api = api
        self._pods = pod_informer
        self._nodes = node_informer
        self._by_node = Index(pod_informer, lambda pod: [pods.node(pod)] if not pods.has_ended(pod) else [])
        self._recorder = Recorder(api, "default-scheduler")
        self._assumed: dict[Key, tuple[str, Object]] = {}
        self._refused: set[Key] = set()
        self.controller = Controller(
            "scheduler",
            self,
            [Source(pod_informer, self._keys_of_pod), Source(node_informer, self._keys_of_node)],
            concurrency=8,
        )

    async def reconcile(self, key: Key) -> Result:
        """Bind one pod, or say why it has to wait."""
        pod = self._pods.get(key.name, key.namespace)
        if pod is None or not scheduling.is_waiting(pod) or key in self._assumed:
            return Result()
        placement = scheduling.place(pod, self._machines())
        if not placement.node:
            self._refused.add(key)
            await self._refuse(pod, placement.sentence)
            return Result()
        self._assumed[key] = (placement.node, pod)
        self._refused.discard(key)
        try:
            await self._bind(pod, placement.node)
        except (asyncio.CancelledError, Exception):
            self._assumed.pop(key, None)
            raise
        return Result()

    async def _bind(self, pod: Object, node: str) -> None:
        try:
            await self._api.send(binding(pod, node))
        except (NotFound, Conflict):
            # The pod is gone, or bound already by somebody else: the next event tells.
            self._assumed.pop(_key(pod), None)

    async def _refuse(self, pod: Object, sentence: str) -> None:
        seen = objects.condition(pod, "PodScheduled") or {}
        if seen.get("message") == sentence:
            return
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": sentence}
        others = [entry for entry in objects.conditions(pod) if entry.get("type") != "PodScheduled"]
        change = {"status": {"conditions": [*others, condition]}}
        try:
            await self._api.patch(PODS, objects.name(pod), objects.namespace(pod), change, subresource="status")
        except NotFound:
            return
        await self._recorder.emit(pod, "Warning", "FailedScheduling", sentence)

    def _machines(self) -> list[Machine]:
        nodes = [node for node in self._nodes.items() if not objects.is_deleting(node)]
        return [Machine(node, self._pods_on(objects.name(node))) for node in nodes]

    def _pods_on(self, node: str) -> list[Object]:
        assumed = [pod for where, pod in self._assumed.values() if where == node]
        return [*self._by_node.get(node), *assumed]

    def _keys_of_pod(self, pod: Object) -> Iterable[Key]:
        key = _key(pod)
        if pods.node(pod) or self._is_gone(key):
            self._assumed.pop(key, None)
            self._refused.discard(key)
        if not scheduling.is_waiting(pod):
            # A pod that ended or left makes room for the refused ones.
            return [] if pods.is_active(pod) and not self._is_gone(key) else list(self._refused)
        return [key]

    def _keys_of_node(self, _node: Object) -> Iterable[Key]:
        return list(self._refused)

    def _is_gone(self, key: Key) -> bool:
        return self._pods.get(key.name, key.namespace) is None


def binding(pod: Object, node: str) -> Request:
    """Return the request that binds exactly this pod to a node."""
    metadata = {"name": objects.name(pod), "namespace": objects.namespace(pod), "uid": objects.uid(pod)}
    target = {"apiVersion": "v1", "kind": "Node", "name": node}
    body = {"apiVersion": "v1", "kind": "Binding", "metadata": metadata, "target": target}
    place = path(PODS, objects.namespace(pod), objects.name(pod), "binding")
    return Request("POST", place, json.dumps(body).encode(), {"content-type": JSON})


def _key(pod: Object) -> Key:
    return Key("", objects.namespace(pod), objects.name(pod))
