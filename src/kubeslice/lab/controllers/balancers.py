"""Gives every Service of type LoadBalancer an address of the cluster's LAN; the nodes' proxies answer for it there.

An address stays with its Service until the Service goes or changes its type.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import NotFound
from kubeslice.kube.informer import Informer
from kubeslice.model.ids import Key
from kubeslice.model.resources import SERVICES
from kubeslice.runtime.controller import Controller, Result
from kubeslice.runtime.sources import Source

log = logging.getLogger(__name__)

ALL = Key("", "", "load-balancers")


class Balancers:
    """Reconciles all Services of a cluster together."""

    def __init__(self, api: Api, services: Informer, pool: Sequence[str]) -> None:
        self._api = api
        self._services = services
        self._pool = pool
        self._given: dict[str, str] = {}
        self.controller = Controller("service-lb", self, [Source(services, lambda _: [ALL])], concurrency=1)

    async def reconcile(self, _: Key) -> Result:
        """Give and take back addresses, and write what changed into the Services' status."""
        services = self._services.items()
        self._given = assign(services, self._pool, self._given)
        for service in services:
            await self._report(service, self._given.get(objects.uid(service), ""))
        return Result()

    async def _report(self, service: Object, address: str) -> None:
        if address == given(service):
            return
        ingress = [{"ip": address, "ipMode": "VIP"}] if address else None
        change = {"metadata": {"uid": objects.uid(service)}, "status": {"loadBalancer": {"ingress": ingress}}}
        name, namespace = objects.name(service), objects.namespace(service)
        try:
            await self._api.patch(SERVICES, name, namespace, change, subresource="status")
        except NotFound:
            return
        log.info("%s/%s has %s", namespace, name, address or "no address any more")


def assign(services: Iterable[Object], pool: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
    """Return the address of each Service by uid: what it has, else what it asks for, else the first that is free."""
    wanting = sorted((service for service in services if wants_address(service)), key=objects.uid)
    has = {objects.uid(service): known.get(objects.uid(service)) or given(service) for service in wanting}
    found = {uid: address for uid, address in has.items() if address in pool}
    for service in wanting:
        taken = set(found.values())
        asked = str(objects.spec(service).get("loadBalancerIP") or "")
        free = [address for address in ([asked] if asked else pool) if address in pool and address not in taken]
        if objects.uid(service) not in found and free:
            found[objects.uid(service)] = free[0]
    return found


def wants_address(service: Object) -> bool:
    """Tell whether the Service is a load balancer of the kind that nobody else looks after."""
    spec: dict[str, Any] = objects.spec(service)
    return spec.get("type") == "LoadBalancer" and not spec.get("loadBalancerClass") and not objects.is_deleting(service)


def given(service: Object) -> str:
    """Return the address in the Service's status, or ""."""
    ingress = (objects.status(service).get("loadBalancer") or {}).get("ingress") or [{}]
    return str(ingress[0].get("ip") or "")
