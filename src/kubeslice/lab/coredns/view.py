"""What the kubernetes plugin knows: Services, EndpointSlices and Namespaces, followed by informers."""

import asyncio
from collections.abc import Iterable, Sequence

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.informer import Informer
from kubeslice.lab.controllers.index import Index
from kubeslice.model.resources import ENDPOINTSLICES, NAMESPACES, SERVICES


class ApiView:
    """The cluster as `cluster.View`."""

    def __init__(self, api: Api) -> None:
        self._services = Informer(api, SERVICES)
        self._slices = Informer(api, ENDPOINTSLICES)
        self._namespaces = Informer(api, NAMESPACES)
        self._by_service = Index(self._slices, _service_of)
        self._by_address = Index(self._slices, _addresses_of)
        self._by_cluster_ip = Index(self._services, _cluster_ip_of)

    async def run(self) -> None:
        """Follow the API server until cancelled."""
        async with asyncio.TaskGroup() as group:
            for informer in self._informers():
                group.create_task(informer.run(), name=f"informer-{informer.resource.plural}")

    @property
    def is_synced(self) -> bool:
        """Tell whether everything has been listed once."""
        return all(informer.synced.is_set() for informer in self._informers())

    def service(self, name: str, namespace: str) -> Object | None:
        """Return a Service."""
        return self._services.get(name, namespace)

    def slices(self, name: str, namespace: str) -> Sequence[Object]:
        """Return the EndpointSlices of a Service."""
        return self._by_service.get(f"{namespace}/{name}")

    def has_namespace(self, name: str) -> bool:
        """Tell whether the namespace exists."""
        return self._namespaces.get(name) is not None

    def services_at(self, address: str) -> Sequence[Object]:
        """Return the Services with that cluster address."""
        return self._by_cluster_ip.get(address)

    def slices_at(self, address: str) -> Sequence[Object]:
        """Return the EndpointSlices that hold that address."""
        return self._by_address.get(address)

    def _informers(self) -> tuple[Informer, ...]:
        return self._services, self._slices, self._namespaces


def _service_of(each: Object) -> Iterable[str]:
    name = objects.labels(each).get("kubernetes.io/service-name")
    return [f"{objects.namespace(each)}/{name}"] if name and each.get("addressType") == "IPv4" else []


def _addresses_of(each: Object) -> Iterable[str]:
    if not list(_service_of(each)):
        return []
    return {address for endpoint in each.get("endpoints") or [] for address in endpoint["addresses"]}


def _cluster_ip_of(service: Object) -> Iterable[str]:
    address = objects.spec(service).get("clusterIP")
    return [address] if address and address != "None" else []
