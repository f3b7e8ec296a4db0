"""From imported services to the zone: follows ServiceImports and tells the name server what the zone shall hold."""

import asyncio
import logging
from typing import Protocol

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.informer import Informer
from kubeslice.model.errors import Terminal
from kubeslice.model.serviceimport import ServiceImport
from kubeslice.plan.services import discovery, zone
from kubeslice.plan.services.zone import Record, Service

log = logging.getLogger(__name__)


class Target(Protocol):
    """What serves the zone."""

    def publish(self, records: frozenset[Record]) -> None:
        """Make `records` what the zone shall hold."""
        ...


class Publisher:
    """Publishes the zone once for each burst of changes."""

    def __init__(self, imports: Informer, target: Target) -> None:
        self._imports = imports
        self._target = target
        self._services: dict[tuple[str, str], Service] = {}
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Publish until cancelled; nothing before every service is known, lest some be missing for a moment."""
        await self._imports.synced.wait()
        self._imports.subscribe(self._note)
        self._changed.set()
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._target.publish(zone.render(self._services.values()))

    def _note(self, old: Object | None, new: Object | None) -> None:
        self._changed.set()
        if new is None:
            self._services.pop(_key(old or {}), None)
            return
        try:
            self._services[_key(new)] = discovery.zone_service(ServiceImport.parse(new))
        except Terminal as refusal:
            log.warning("%s/%s is not served: %s", *_key(new), refusal)
            self._services.pop(_key(new), None)


def _key(obj: Object) -> tuple[str, str]:
    return objects.namespace(obj), objects.name(obj)
