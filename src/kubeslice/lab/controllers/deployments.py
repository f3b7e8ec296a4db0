"""Moves each Deployment towards its template through ReplicaSets, one step for each event."""

import logging
from collections.abc import Iterable, Sequence

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import AlreadyExists, Conflict, NotFound
from kubeslice.kube.events import Recorder
from kubeslice.kube.informer import Informer
from kubeslice.lab.controllers import claims, index, progress, replicas, rollout, statuses, templates
from kubeslice.lab.controllers.index import Index
from kubeslice.lab.controllers.keys import keys_of, keys_of_owner, keys_of_selecting
from kubeslice.lab.controllers.kinds import REPLICASETS
from kubeslice.model.errors import Retry
from kubeslice.model.ids import Key
from kubeslice.model.resources import DEPLOYMENTS, Resource
from kubeslice.runtime.clock import Clock
from kubeslice.runtime.controller import Controller, Result
from kubeslice.runtime.sources import Source

log = logging.getLogger(__name__)

REVISION = "deployment.kubernetes.io/revision"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"


class Deployments:
    """Reconciles one Deployment at a time."""

    def __init__(self, api: Api, deployments: Informer, sets: Informer, pod_informer: Informer, clock: Clock) -> None:
        self._api = api
        self._deployments = deployments
        self._clock = clock
        self._set_informer = sets
        self._sets = Index(sets, index.namespace)
        self._pods = Index(pod_informer, index.owner_uid)
        self._recorder = Recorder(api, "deployment-controller")
        sources = [
            Source(deployments, keys_of),
            Source(sets, self._keys_of_set),
            Source(pod_informer, self._keys_of_pod),
        ]
        self.controller = Controller("deployment", self, sources)

    async def reconcile(self, key: Key) -> Result:
        """Take the next step of the rollout and report."""
        deployment = self._deployments.get(key.name, key.namespace)
        if deployment is None:
            return Result()
        found = claims.claim(deployment, self._sets.get(key.namespace))
        sets = await claims.settle(self._api, REPLICASETS, deployment, found)
        if not objects.is_deleting(deployment):
            sets = await self._step(deployment, sets)
        now = self._clock.now()
        await statuses.write(self._api, DEPLOYMENTS, deployment, progress.status(deployment, sets, now))
        return Result(after=progress.deadline(deployment, now))

    async def _step(self, deployment: Object, sets: list[Object]) -> list[Object]:
        owned = {objects.uid(each): self._pods.get(objects.uid(each)) for each in sets}
        sets = await self._number(deployment, sets)
        if rollout.current(deployment, sets) is None and rollout.may_create(deployment, sets, owned):
            sets = [*sets, await self._create(deployment, sets)]
        sizes = rollout.sizes(deployment, sets, owned)
        resized = [await self._resize(deployment, each, sizes[objects.name(each)]) for each in sets]
        for each in rollout.surplus(deployment, resized):
            await self._discard(each)
        return resized

    async def _create(self, deployment: Object, sets: Sequence[Object]) -> Object:
        wanted = replica_set(deployment, sets)
        name = objects.name(wanted)
        try:
            created = await self._api.create(REPLICASETS, wanted)
        except AlreadyExists:
            existing = await self._api.get(REPLICASETS, name, objects.namespace(deployment))
            if existing in claims.claim(deployment, [existing]).owned:
                return existing
            raise Retry(f"the ReplicaSet {name} exists and belongs to something else") from None
        await self._say_scaled(deployment, created, 0)
        return created

    async def _resize(self, deployment: Object, each: Object, size: int) -> Object:
        notes = _sizes_noted(deployment)
        seen = objects.annotations(each)
        before = replicas.wanted(each)
        if before == size and (size == 0 or all(seen.get(key) == value for key, value in notes.items())):
            return each
        change = {
            "metadata": {"resourceVersion": each["metadata"]["resourceVersion"], "annotations": notes},
            "spec": {"replicas": size},
        }
        try:
            changed = await self._api.patch(REPLICASETS, objects.name(each), objects.namespace(each), change)
        except NotFound:
            return each
        if before != size:
            await self._say_scaled(deployment, changed, before)
        return changed

    async def _number(self, deployment: Object, sets: Sequence[Object]) -> list[Object]:
        """Give the current ReplicaSet the highest revision number, note it on the Deployment, return the sets."""
        newest = rollout.current(deployment, sets)
        if newest is None:
            return list(sets)
        number = revision(newest, sets)
        noted = await self._note(REPLICASETS, newest, number)
        await self._note(DEPLOYMENTS, deployment, number)
        return [noted if each is newest else each for each in sets]

    async def _note(self, resource: Resource, obj: Object, number: str) -> Object:
        if objects.annotations(obj).get(REVISION) == number:
            return obj
        change = {"metadata": {"annotations": {REVISION: number}}}
        return await self._api.patch(resource, objects.name(obj), objects.namespace(obj), change)

    async def _discard(self, each: Object) -> None:
        try:
            await self._api.delete(REPLICASETS, objects.name(each), objects.namespace(each), uid=objects.uid(each))
        except (NotFound, Conflict):
            log.debug("replica set %s is gone already", objects.name(each))

    async def _say_scaled(self, deployment: Object, each: Object, before: int) -> None:
        size = replicas.wanted(each)
        verb = "up" if size > before else "down"
        sentence = f"Scaled {verb} replica set {objects.name(each)} from {before} to {size}"
        await self._recorder.emit(deployment, "Normal", "ScalingReplicaSet", sentence)

    def _keys_of_set(self, each: Object) -> Iterable[Key]:
        return keys_of_owner(each, "Deployment") or keys_of_selecting(each, self._deployments)

    def _keys_of_pod(self, pod: Object) -> Iterable[Key]:
        """Only Recreate waits for pods themselves; everything else shows in the ReplicaSet's status."""
        for key in keys_of_owner(pod, "ReplicaSet"):
            each = self._set_informer.get(key.name, key.namespace)
            if each is not None and replicas.wanted(each) == 0:
                return keys_of_owner(each, "Deployment")
        return []


def replica_set(deployment: Object, sets: Sequence[Object]) -> Object:
    """Return the ReplicaSet for the current template, in its first size."""
    digest = rollout.template_hash(deployment)
    spec = objects.spec(deployment)
    template = dict(spec["template"])
    meta = template.get("metadata") or {}
    labels = {**(meta.get("labels") or {}), templates.HASH_LABEL: digest}
    selector = dict(spec["selector"])
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), templates.HASH_LABEL: digest}
    inherited = {key: value for key, value in objects.annotations(deployment).items() if not _is_private(key)}
    return {
        "metadata": {
            "name": f"{objects.name(deployment)}-{digest}",
            "namespace": objects.namespace(deployment),
            "labels": labels,
            "annotations": {**inherited, **_sizes_noted(deployment), REVISION: revision(None, sets)},
            "ownerReferences": [templates.controller_reference(deployment)],
        },
        "spec": {
            "replicas": rollout.first_size(deployment, sets),
            "minReadySeconds": replicas.min_ready(deployment),
            "selector": selector,
            "template": {**template, "metadata": {**meta, "labels": labels}},
        },
    }


def revision(newest: Object | None, sets: Sequence[Object]) -> str:
    """Return the revision of the current ReplicaSet: one more than every other's."""
    others = [int(objects.annotations(each).get(REVISION) or 0) for each in sets if each is not newest]
    own = int(objects.annotations(newest).get(REVISION) or 0) if newest else 0
    return str(max(own, max(others, default=0) + 1))


def _sizes_noted(deployment: Object) -> dict[str, str]:
    total = replicas.wanted(deployment)
    return {DESIRED: str(total), MAXIMUM: str(total + rollout.limits(deployment).surge)}


def _is_private(annotation: str) -> bool:
    return annotation.startswith("deployment.kubernetes.io/") or annotation in {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deprecated.deployment.rollback.to",
    }
