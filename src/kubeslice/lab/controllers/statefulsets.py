"""Keeps the numbered pods of each StatefulSet, one step for each event."""

from collections.abc import Iterable

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.events import Recorder
from kubeslice.kube.informer import Informer
from kubeslice.lab.controllers import claims, index, replicas, stateful, statuses
from kubeslice.lab.controllers.index import Index
from kubeslice.lab.controllers.keys import keys_of, keys_of_owner, keys_of_selecting
from kubeslice.lab.controllers.kinds import STATEFULSETS
from kubeslice.lab.controllers.podcontrol import PodControl
from kubeslice.model.errors import Terminal
from kubeslice.model.ids import Key
from kubeslice.model.resources import PODS
from kubeslice.runtime.clock import Clock
from kubeslice.runtime.controller import Controller, Result
from kubeslice.runtime.sources import Source


class StatefulSets:
    """Reconciles one StatefulSet at a time."""

    def __init__(self, api: Api, workloads: Informer, pod_informer: Informer, clock: Clock) -> None:
        self._api = api
        self._workloads = workloads
        self._clock = clock
        self._pods = Index(pod_informer, index.namespace)
        self._control = PodControl(api, pod_informer, "statefulset-controller")
        self._recorder = Recorder(api, "statefulset-controller")
        sources = [Source(workloads, keys_of), Source(pod_informer, self._keys_of_pod)]
        self.controller = Controller("statefulset", self, sources)

    async def reconcile(self, key: Key) -> Result:
        """Take the next step and report."""
        workload = self._workloads.get(key.name, key.namespace)
        if workload is None:
            return Result()
        if not self._control.is_settled(workload):
            return Result(after=1.0)
        await self._refuse_storage(workload)
        found = claims.claim(workload, self._pods.get(key.namespace))
        mine = await claims.settle(self._api, PODS, workload, found)
        now = self._clock.now()
        change = stateful.change(workload, mine, now)
        fresh = [stateful.pod(workload, number) for number in change.create]
        await self._control.change(workload, fresh, change.delete)
        await statuses.write(self._api, STATEFULSETS, workload, stateful.status(workload, mine, now))
        return Result(after=replicas.next_look(workload, mine, now))

    async def _refuse_storage(self, workload: Object) -> None:
        if objects.spec(workload).get("volumeClaimTemplates"):
            sentence = "the lab has no persistent volumes: use an emptyDir volume instead of volumeClaimTemplates"
            await self._recorder.emit(workload, "Warning", "FailedCreate", sentence)
            raise Terminal(sentence, "NoPersistentVolumes")

    def _keys_of_pod(self, pod: Object) -> Iterable[Key]:
        return keys_of_owner(pod, "StatefulSet") or keys_of_selecting(pod, self._workloads)
