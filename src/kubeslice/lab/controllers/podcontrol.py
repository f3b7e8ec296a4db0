"""Creates and deletes pods for their controllers: what is written is expected to come back, and told in events."""

import asyncio
from collections.abc import Iterable, Iterator

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import AlreadyExists, ApiError, Conflict, Forbidden, NotFound
from kubeslice.kube.events import Recorder
from kubeslice.kube.informer import Informer
from kubeslice.lab.controllers.accounts import is_terminating
from kubeslice.lab.controllers.expectations import Expectations
from kubeslice.model.errors import Retry
from kubeslice.model.resources import PODS


class PodControl:
    """The hands of one kind of controller."""

    def __init__(self, api: Api, informer: Informer, component: str) -> None:
        self._api = api
        self._expected = Expectations(informer)
        self._recorder = Recorder(api, component)

    def is_settled(self, owner: Object) -> bool:
        """Tell whether the cache shows everything that was written for `owner`."""
        return self._expected.are_met(objects.uid(owner))

    async def change(self, owner: Object, create: Iterable[Object], delete: Iterable[Object]) -> None:
        """Create and delete pods, all at once. Raises `Retry` when the API server did not take one."""
        try:
            async with asyncio.TaskGroup() as group:
                for pod in create:
                    group.create_task(self._create(owner, pod))
                for pod in delete:
                    group.create_task(self._delete(owner, pod))
        except* ApiError as failures:
            first = next(_leaves(failures))
            raise Retry(str(first)) from first

    async def _create(self, owner: Object, pod: Object) -> None:
        try:
            created = await self._api.create(PODS, pod)
        except AlreadyExists:
            return
        except Forbidden as error:
            if is_terminating(error):
                return
            await self._recorder.emit(owner, "Warning", "FailedCreate", f"Error creating: {error.message}")
            raise
        self._expected.created(objects.uid(owner), created)
        await self._recorder.emit(owner, "Normal", "SuccessfulCreate", f"Created pod: {objects.name(created)}")

    async def _delete(self, owner: Object, pod: Object) -> None:
        if objects.is_deleting(pod):
            return
        self._expected.deleted(objects.uid(owner), pod)
        try:
            await self._api.delete(PODS, objects.name(pod), objects.namespace(pod), uid=objects.uid(pod))
        except (NotFound, Conflict):
            return
        await self._recorder.emit(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {objects.name(pod)}")


def _leaves(group: BaseExceptionGroup[ApiError]) -> Iterator[ApiError]:
    for each in group.exceptions:
        if isinstance(each, BaseExceptionGroup):
            yield from _leaves(each)
        else:
            yield each
