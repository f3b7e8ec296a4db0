"""What is used of each ResourceQuota, and the controller that writes it. Source: pkg/controller/resourcequota."""

from collections.abc import Iterable
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.informer import Informer
from kubeslice.lab import usage
from kubeslice.lab.controllers import index, statuses
from kubeslice.lab.controllers.index import Index
from kubeslice.lab.controllers.keys import keys_of
from kubeslice.lab.controllers.kinds import QUOTAS
from kubeslice.model.ids import Key
from kubeslice.runtime.controller import Controller, Result
from kubeslice.runtime.sources import Source, existence


class Quotas:
    """Reconciles one quota at a time."""

    def __init__(self, api: Api, quotas: Informer, pods: Informer) -> None:
        self._api = api
        self._quotas = quotas
        self._pods = Index(pods, index.namespace)
        sources = [Source(quotas, keys_of), Source(pods, self._keys_of_pod, _aspect)]
        self.controller = Controller("quota", self, sources)

    async def reconcile(self, key: Key) -> Result:
        """Write the status of one quota."""
        quota = self._quotas.get(key.name, key.namespace)
        if quota is not None:
            await statuses.write(self._api, QUOTAS, quota, usage.status(quota, self._pods.get(key.namespace)))
        return Result()

    def _keys_of_pod(self, pod: Object) -> Iterable[Key]:
        return [key for quota in self._quotas.items(objects.namespace(pod)) for key in keys_of(quota)]


def _aspect(pod: Object) -> Any:
    return existence(pod), usage.of_pod(pod)
