"""Keeps the pods of each ReplicaSet at their number."""

from collections.abc import Iterable

from kubeslice.kube.api import Api, Object
from kubeslice.kube.informer import Informer
from kubeslice.lab.controllers import claims, index, replicas, statuses, templates
from kubeslice.lab.controllers.index import Index
from kubeslice.lab.controllers.keys import keys_of, keys_of_owner, keys_of_selecting
from kubeslice.lab.controllers.kinds import REPLICASETS
from kubeslice.lab.controllers.podcontrol import PodControl
from kubeslice.model.ids import Key
from kubeslice.model.resources import PODS
from kubeslice.runtime.clock import Clock
from kubeslice.runtime.controller import Controller, Result
from kubeslice.runtime.sources import Source


class ReplicaSets:
    """Reconciles one ReplicaSet at a time, unless its last writes have not come back yet."""

    def __init__(self, api: Api, sets: Informer, pod_informer: Informer, clock: Clock) -> None:
        self._api = api
        self._sets = sets
        self._clock = clock
        self._pods = Index(pod_informer, index.namespace)
        self._control = PodControl(api, pod_informer, "replicaset-controller")
        self.controller = Controller(
            "replicaset", self, [Source(sets, keys_of), Source(pod_informer, self._keys_of_pod)]
        )

    async def reconcile(self, key: Key) -> Result:
        """Create or delete pods, then report."""
        replicaset = self._sets.get(key.name, key.namespace)
        if replicaset is None:
            return Result()
        if not self._control.is_settled(replicaset):
            return Result(after=1.0)
        mine = await claims.settle(self._api, PODS, replicaset, claims.claim(replicaset, self._pods.get(key.namespace)))
        change = replicas.change(replicaset, mine)
        fresh = [templates.pod(replicaset, templates.generated_name(key.name)) for _ in range(change.create)]
        await self._control.change(replicaset, fresh, change.delete)
        now = self._clock.now()
        await statuses.write(self._api, REPLICASETS, replicaset, replicas.status(replicaset, mine, now))
        return Result(after=replicas.next_look(replicaset, mine, now))

    def _keys_of_pod(self, pod: Object) -> Iterable[Key]:
        return keys_of_owner(pod, "ReplicaSet") or keys_of_selecting(pod, self._sets)
