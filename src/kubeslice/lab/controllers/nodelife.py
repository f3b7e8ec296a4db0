"""Notices that kubelets fall silent, marks their nodes unreachable and their pods not ready, and taints nodes."""

from collections.abc import Iterable

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import ApiError, NotFound
from kubeslice.kube.informer import Informer
from kubeslice.lab.controllers import liveness, pods
from kubeslice.lab.controllers.index import Index
from kubeslice.model.errors import Retry
from kubeslice.model.ids import Key
from kubeslice.model.resources import LEASES, NODES, PODS
from kubeslice.runtime.clock import Clock
from kubeslice.runtime.controller import Controller, Result
from kubeslice.runtime.sources import Source

LEASE_NAMESPACE = "kube-node-lease"


class NodeLife:
    """Reconciles one node at a time; how long a Lease is old is counted from when it was seen here to change."""

    def __init__(
        self, api: Api, nodes: Informer, leases: Informer, pod_informer: Informer, clock: Clock, grace: float
    ) -> None:
        self._api = api
        self._nodes = nodes
        self._leases = leases
        self._clock = clock
        self._grace = grace
        self._heard: dict[str, tuple[str, float]] = {}
        self._pods = Index(pod_informer, lambda pod: [pods.node(pod)] if not pods.has_ended(pod) else [])
        self.controller = Controller("node-lifecycle", self, [Source(nodes, _key), Source(leases, _key)])

    async def reconcile(self, key: Key) -> Result:
        """Judge one node, and look again when it might have fallen silent."""
        node = self._nodes.get(key.name)
        if node is None:
            self._heard.pop(key.name, None)
            return Result()
        left = self._seconds_left(key.name)
        if left <= 0 and liveness.readiness(node) != "Unknown":
            await self._doubt(node)
            return Result(f"node {key.name} is silent", after=self._grace)
        await self._taint(node)
        if liveness.readiness(node) == "Unknown":
            await self._unready(key.name)
        return Result(after=max(left, 0.1) if left > 0 else self._grace)

    def _seconds_left(self, name: str) -> float:
        lease = self._leases.get(name, LEASE_NAMESPACE)
        renewed = str(objects.spec(lease).get("renewTime") if lease else "")
        now = self._clock.monotonic()
        known = self._heard.get(name)
        if known is None or known[0] != renewed:
            known = self._heard[name] = (renewed, now)
        return known[1] + self._grace - now

    async def _doubt(self, node: Object) -> None:
        """Mark the node unknown. When the API server is down nobody could renew: the count starts anew."""
        name = objects.name(node)
        change = {"status": {"conditions": liveness.doubted(node, self._now())}}
        try:
            lease = await self._api.get(LEASES, name, LEASE_NAMESPACE)
            if objects.spec(lease).get("renewTime") == self._heard[name][0]:
                await self._api.patch(NODES, name, None, change, subresource="status")
        except NotFound:
            return
        except ApiError as error:
            self._heard.pop(name)
            raise Retry(f"node {name} cannot be judged: {error.message}") from error

    async def _taint(self, node: Object) -> None:
        wanted = liveness.taints(node, self._now())
        if wanted == (objects.spec(node).get("taints") or []):
            return
        version = node["metadata"]["resourceVersion"]
        change = {"metadata": {"resourceVersion": version}, "spec": {"taints": wanted or None}}
        await self._api.patch(NODES, objects.name(node), None, change)

    async def _unready(self, name: str) -> None:
        for pod in self._pods.get(name):
            conditions = liveness.unready(pod, self._now())
            if conditions:
                change = {"metadata": {"uid": objects.uid(pod)}, "status": {"conditions": conditions}}
                try:
                    await self._api.patch(PODS, objects.name(pod), objects.namespace(pod), change, subresource="status")
                except NotFound:
                    continue

    def _now(self) -> str:
        return self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _key(obj: Object) -> Iterable[Key]:
    return [Key("", "", objects.name(obj))]
