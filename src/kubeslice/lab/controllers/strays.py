"""Removes the pods of nodes that are gone, for which no kubelet will ever confirm a deletion."""

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import Conflict, NotFound
from kubeslice.kube.informer import Informer
from kubeslice.lab.controllers import pods
from kubeslice.lab.controllers.keys import keys_of
from kubeslice.model.ids import Key
from kubeslice.model.resources import NODES, PODS
from kubeslice.runtime.controller import Controller, Result
from kubeslice.runtime.sources import Source


class Strays:
    """Reconciles one pod at a time."""

    def __init__(self, api: Api, pod_informer: Informer, nodes: Informer) -> None:
        self._api = api
        self._pods = pod_informer
        self._nodes = nodes
        sources = [Source(pod_informer, keys_of), Source(nodes, self._keys_of_node)]
        self.controller = Controller("podgc", self, sources)

    async def reconcile(self, key: Key) -> Result:
        """Delete the pod at once when its node is gone, or when it leaves without ever having had one."""
        pod = self._pods.get(key.name, key.namespace)
        if pod is None or not is_stray(pod, {objects.name(node) for node in self._nodes.items()}):
            return Result()
        if pods.node(pod) and await self._exists(pods.node(pod)):
            return Result()
        try:
            await self._api.delete(PODS, key.name, key.namespace, uid=objects.uid(pod), grace_seconds=0)
        except (NotFound, Conflict):
            return Result()
        return Result(f"pod {key.name} removed: its node {pods.node(pod) or '(none)'} is gone")

    async def _exists(self, node: str) -> bool:
        try:
            await self._api.get(NODES, node)
        except NotFound:
            return False
        return True

    def _keys_of_node(self, node: Object) -> list[Key]:
        if self._nodes.get(objects.name(node)) is not None:
            return []
        stranded = [pod for pod in self._pods.items() if pods.node(pod) == objects.name(node)]
        return [key for pod in stranded for key in keys_of(pod)]


def is_stray(pod: Object, nodes: set[str]) -> bool:
    """Tell whether nobody will ever finish the pod: its node is unknown, or it is leaving unbound."""
    if not pods.node(pod):
        return objects.is_deleting(pod)
    return pods.node(pod) not in nodes
