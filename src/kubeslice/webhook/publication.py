"""Keeps identity and configurations as they should be for as long as the process lives, and the server up to date."""

import asyncio
import logging
import ssl
import tempfile
from pathlib import Path

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import apply_if_needed
from kubeslice.kube.backoff import Backoff
from kubeslice.kube.errors import ApiError
from kubeslice.kube.informer import Informer
from kubeslice.model import names
from kubeslice.model.errors import Retry
from kubeslice.model.resources import MUTATINGWEBHOOKS, NAMESPACES, VALIDATINGWEBHOOKS
from kubeslice.runtime.clock import Clock
from kubeslice.webhook.certificates import Identity
from kubeslice.webhook.configurations import Home, Role, configurations, name
from kubeslice.webhook.identity import shared_identity

log = logging.getLogger(__name__)

LOOK_EVERY = 3600.0


class Publication:
    """The webhook's presence in the API server. `has_identity` is set once `tls` can be served with."""

    def __init__(self, api: Api, role: Role, namespace: str, clock: Clock) -> None:
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self.has_identity = asyncio.Event()
        self._api = api
        self._role: Role = role
        self._namespace = namespace
        self._clock = clock
        self._identity: Identity | None = None
        self._changed = asyncio.Event()
        mine = f"metadata.name={name(role)}"
        self._informers = {
            resource: Informer(api, resource, fields=mine) for resource in (MUTATINGWEBHOOKS, VALIDATINGWEBHOOKS)
        }
        for informer in self._informers.values():
            informer.subscribe(self._notice)

    async def run(self) -> None:
        """Publish, and publish again whenever somebody changed it or a certificate grew old."""
        async with asyncio.TaskGroup() as group:
            for informer in self._informers.values():
                group.create_task(informer.run(), name=f"follow-{informer.resource.plural}")
            await self._publish_for_ever(Backoff())

    async def _publish_for_ever(self, backoff: Backoff) -> None:
        while True:
            pause = LOOK_EVERY
            self._changed.clear()
            try:
                await self._serve_identity()
                await self._publish()
                backoff.reset()
            except (ApiError, Retry) as error:
                pause = backoff.next()
                log.warning("the webhook is not published: %s; again in %.1f s", error, pause)
            await self._sleep(pause)

    async def _serve_identity(self) -> None:
        host = f"{names.WEBHOOK_SERVICE}.{self._namespace}.svc"
        identity = await shared_identity(self._api, self._namespace, host, self._clock.now())
        if identity != self._identity:
            await asyncio.to_thread(load_identity, self.tls, identity)
            self._identity = identity
            self.has_identity.set()

    async def _publish(self) -> None:
        assert self._identity is not None
        namespace = await self._api.get(NAMESPACES, self._namespace)
        home = Home(self._namespace, self._identity.bundle, objects.uid(namespace))
        for resource, wanted in configurations(self._role, home):
            seen = self._informers[resource].get(name(self._role))
            await apply_if_needed(self._api, names.WEBHOOK_MANAGER, resource, wanted, seen)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    def _notice(self, _old: Object | None, _new: Object | None) -> None:
        self._changed.set()


def load_identity(context: ssl.SSLContext, identity: Identity) -> None:
    """Let a TLS context serve with this identity from the next handshake on."""
    # New handshakes of a running server use what was loaded last; Python loads certificates from files only.
    with tempfile.TemporaryDirectory() as folder:
        chain = Path(folder) / "chain.pem"
        chain.touch(mode=0o600)
        chain.write_bytes(identity.certificate + identity.key)
        context.load_cert_chain(chain)
