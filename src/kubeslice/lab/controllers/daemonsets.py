"""Keeps one pod of each DaemonSet on every node that should have one."""

from collections.abc import Iterable

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.informer import Informer
from kubeslice.lab.controllers import claims, daemons, index, replicas, statuses, templates
from kubeslice.lab.controllers.index import Index
from kubeslice.lab.controllers.keys import keys_of, keys_of_owner, keys_of_selecting
from kubeslice.lab.controllers.podcontrol import PodControl
from kubeslice.model.ids import Key
from kubeslice.model.resources import DAEMONSETS, PODS
from kubeslice.runtime.clock import Clock
from kubeslice.runtime.controller import Controller, Result
from kubeslice.runtime.sources import Source


class DaemonSets:
    """Reconciles one DaemonSet at a time."""

    def __init__(
        self, api: Api, daemon_informer: Informer, pod_informer: Informer, nodes: Informer, clock: Clock
    ) -> None:
        self._api = api
        self._daemons = daemon_informer
        self._nodes = nodes
        self._clock = clock
        self._pods = Index(pod_informer, index.namespace)
        self._control = PodControl(api, pod_informer, "daemonset-controller")
        self._shapes: dict[str, object] = {}
        sources = [
            Source(daemon_informer, keys_of),
            Source(pod_informer, self._keys_of_pod),
            Source(nodes, self._keys_of_node),
        ]
        self.controller = Controller("daemonset", self, sources)

    async def reconcile(self, key: Key) -> Result:
        """Create and delete pods, then report."""
        daemon = self._daemons.get(key.name, key.namespace)
        if daemon is None:
            return Result()
        if not self._control.is_settled(daemon):
            return Result(after=1.0)
        found = claims.claim(daemon, self._pods.get(key.namespace))
        mine = await claims.settle(self._api, PODS, daemon, found)
        now, nodes = self._clock.now(), self._nodes.items()
        change = daemons.change(daemon, nodes, mine, now)
        fresh = [daemons.pod(daemon, node, templates.generated_name(key.name)) for node in change.create]
        await self._control.change(daemon, fresh, change.delete)
        await statuses.write(self._api, DAEMONSETS, daemon, daemons.status(daemon, nodes, mine, now))
        return Result(after=replicas.next_look(daemon, mine, now))

    def _keys_of_pod(self, pod: Object) -> Iterable[Key]:
        return keys_of_owner(pod, "DaemonSet") or keys_of_selecting(pod, self._daemons)

    def _keys_of_node(self, node: Object) -> Iterable[Key]:
        """All DaemonSets, but only when something they depend on changed: nodes renew their status often."""
        name = objects.name(node)
        is_gone = self._nodes.get(name) is None
        shape = None if is_gone else (objects.labels(node), objects.spec(node), objects.is_true(node, "Ready"))
        if name in self._shapes and self._shapes[name] == shape:
            return []
        self._shapes[name] = shape
        return [key for daemon in self._daemons.items() for key in keys_of(daemon)]
