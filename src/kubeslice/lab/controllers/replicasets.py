"""Keeps the pods of each ReplicaSet at their number."""

import asyncio
from collections.abc import Iterable

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import Conflict, NotFound
from kubeslice.kube.events import Recorder
from kubeslice.kube.informer import Informer
from kubeslice.lab.controllers import claims, index, pods, replicas, statuses, templates
from kubeslice.lab.controllers.expectations import Expectations
from kubeslice.lab.controllers.index import Index
from kubeslice.lab.controllers.kinds import REPLICASETS
from kubeslice.model.ids import Key
from kubeslice.model.resources import PODS
from kubeslice.runtime.clock import Clock
from kubeslice.runtime.controller import Controller, Result, Source


class ReplicaSets:
    """Reconciles one ReplicaSet at a time, unless its last writes have not come back yet."""

    def __init__(self, api: Api, sets: Informer, pod_informer: Informer, clock: Clock) -> None:
        self._api = api
        self._sets = sets
        self._clock = clock
        self._pods = Index(pod_informer, index.namespace)
        self._expected = Expectations(pod_informer)
        self._recorder = Recorder(api, "replicaset-controller")
        self.controller = Controller(
            "replicaset", self, [Source(sets, keys_of), Source(pod_informer, self._keys_of_pod)]
        )

    async def reconcile(self, key: Key) -> Result:
        """Create or delete pods, then report."""
        replicaset = self._sets.get(key.name, key.namespace)
        if replicaset is None:
            return Result()
        if not self._expected.are_met(objects.uid(replicaset)):
            return Result(after=1.0)
        mine = await claims.settle(self._api, PODS, replicaset, claims.claim(replicaset, self._pods.get(key.namespace)))
        change = replicas.change(replicaset, mine)
        async with asyncio.TaskGroup() as group:
            for _ in range(change.create):
                group.create_task(self._create(replicaset))
            for pod in change.delete:
                group.create_task(self._delete(replicaset, pod))
        now = self._clock.now()
        await statuses.write(self._api, REPLICASETS, replicaset, replicas.status(replicaset, mine, now))
        return Result(after=replicas.next_look(replicaset, mine, now))

    async def _create(self, replicaset: Object) -> None:
        name = templates.generated_name(objects.name(replicaset))
        created = await self._api.create(PODS, templates.pod(replicaset, name))
        self._expected.created(objects.uid(replicaset), created)
        await self._recorder.emit(replicaset, "Normal", "SuccessfulCreate", f"Created pod: {name}")

    async def _delete(self, replicaset: Object, pod: Object) -> None:
        name = objects.name(pod)
        self._expected.deleted(objects.uid(replicaset), pod)
        try:
            await self._api.delete(PODS, name, objects.namespace(pod), uid=objects.uid(pod))
        except (NotFound, Conflict):
            return
        await self._recorder.emit(replicaset, "Normal", "SuccessfulDelete", f"Deleted pod: {name}")

    def _keys_of_pod(self, pod: Object) -> Iterable[Key]:
        return keys_of_owner(pod, "ReplicaSet") or keys_of_selecting(pod, self._sets)


def keys_of(obj: Object) -> Iterable[Key]:
    """Return the key of the object itself."""
    return [Key("", objects.namespace(obj), objects.name(obj))]


def keys_of_owner(obj: Object, kind: str) -> list[Key]:
    """Return the key of the managing controller when it is of that kind."""
    reference = pods.owner(obj)
    if reference is None or reference["kind"] != kind:
        return []
    return [Key("", objects.namespace(obj), reference["name"])]


def keys_of_selecting(obj: Object, workloads: Informer) -> list[Key]:
    """Return the workloads that might adopt an object without a manager."""
    if pods.owner(obj) is not None:
        return []
    around = workloads.items(objects.namespace(obj))
    return [key for workload in around if claims.claim(workload, [obj]).adopted for key in keys_of(workload)]
