"""Writes the EndpointSlices and Endpoints of every Service with a selector, and those of `default/kubernetes`."""

from collections.abc import Iterable
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import AlreadyExists, Conflict, NotFound
from kubeslice.kube.informer import Informer
from kubeslice.kube.subset import covers
from kubeslice.lab.controllers import endpoints, frontdoor, index
from kubeslice.lab.controllers.index import Index
from kubeslice.lab.controllers.keys import keys_of
from kubeslice.lab.controllers.kinds import ENDPOINTS
from kubeslice.model.ids import Key
from kubeslice.model.resources import ENDPOINTSLICES, Resource
from kubeslice.runtime.controller import Controller, Result
from kubeslice.runtime.sources import Source


class EndpointSlices:
    """Reconciles the endpoints of one Service at a time."""

    def __init__(
        self, api: Api, services: Informer, pod_informer: Informer, written: Informer, older: Informer, nodes: Informer
    ) -> None:
        self._api = api
        self._services = services
        self._older = older
        self._nodes = nodes
        self._pods = Index(pod_informer, index.namespace)
        self._around = Index(services, index.namespace)
        self._written = Index(written, _service_of)
        sources = [
            Source(services, keys_of),
            Source(pod_informer, self._keys_of_pod),
            Source(written, _keys_of_slice),
            Source(older, keys_of),
            Source(nodes, lambda _: [frontdoor.KEY]),
        ]
        self.controller = Controller("endpointslice", self, sources)

    async def reconcile(self, key: Key) -> Result:
        """Create, change and delete until the API says what the pods say."""
        if key == frontdoor.KEY:
            await self._open_front_door()
            return Result()
        service = self._services.get(key.name, key.namespace)
        seen = {objects.name(each): each for each in self._written.get(f"{key.namespace}/{key.name}")}
        backends = self._pods.get(key.namespace)
        wanted = endpoints.slices(service, backends) if service else []
        for each in wanted:
            await self._write(ENDPOINTSLICES, each, seen.pop(objects.name(each), None), ("endpoints", "ports"))
        for stale in seen.values():
            await self._delete(ENDPOINTSLICES, stale)
        await self._write_older(key, service, backends)
        return Result()

    async def _write_older(self, key: Key, service: Object | None, backends: list[Object]) -> None:
        seen = self._older.get(key.name, key.namespace)
        wanted = endpoints.endpoints(service, backends) if service else None
        if wanted is not None:
            await self._write(ENDPOINTS, wanted, seen, ("subsets",))
        elif seen is not None and service is None:
            await self._delete(ENDPOINTS, seen)

    async def _open_front_door(self) -> None:
        wanted = frontdoor.backends(self._nodes.items())
        if not wanted:
            return
        name, namespace = frontdoor.KEY.name, frontdoor.KEY.namespace
        slices = self._written.get(f"{namespace}/{name}")
        made = frontdoor.endpoint_slice(wanted)
        await self._write(ENDPOINTSLICES, made, next(iter(slices), None), ("endpoints", "ports"))
        await self._write(ENDPOINTS, frontdoor.endpoints(wanted), self._older.get(name, namespace), ("subsets",))

    async def _write(self, resource: Resource, wanted: Object, seen: Object | None, fields: Iterable[str]) -> None:
        if seen is None:
            try:
                await self._api.create(resource, wanted)
            except AlreadyExists:
                seen = await self._api.get(resource, objects.name(wanted), objects.namespace(wanted))
            else:
                return
        labels = _label_change(objects.labels(seen), objects.labels(wanted))
        body = {field: wanted.get(field) for field in fields if not _is_same(seen.get(field), wanted.get(field))}
        change: dict[str, Any] = body | ({"metadata": {"labels": labels}} if labels else {})
        if change:
            await self._api.patch(resource, objects.name(wanted), objects.namespace(wanted), change)

    async def _delete(self, resource: Resource, obj: Object) -> None:
        try:
            await self._api.delete(resource, objects.name(obj), objects.namespace(obj), uid=objects.uid(obj))
        except (NotFound, Conflict):
            return

    def _keys_of_pod(self, pod: Object) -> Iterable[Key]:
        around = self._around.get(objects.namespace(pod))
        return [key for service in around if endpoints.selects(service, pod) for key in keys_of(service)]


def _is_same(seen: Any, wanted: Any) -> bool:
    return covers(seen, wanted) and covers(wanted, seen)


def _label_change(seen: dict[str, str], wanted: dict[str, str]) -> dict[str, str | None]:
    gone: dict[str, str | None] = dict.fromkeys(seen.keys() - wanted.keys())
    return gone | {key: value for key, value in wanted.items() if seen.get(key) != value}


def _service_of(each: Object) -> Iterable[str]:
    labels = objects.labels(each)
    is_ours = labels.get(endpoints.MANAGED_BY) == endpoints.MANAGER or objects.name(each) == frontdoor.KEY.name
    name = labels.get(endpoints.SERVICE_NAME)
    return [f"{objects.namespace(each)}/{name}"] if is_ours and name else []


def _keys_of_slice(each: Object) -> Iterable[Key]:
    name = objects.labels(each).get(endpoints.SERVICE_NAME)
    return [Key("", objects.namespace(each), name)] if name else []
