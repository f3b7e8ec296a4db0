"""What a gateway tells of its tunnels: `SliceGateway.status.planes` and metrics, sparingly (`plan.tunnel.is_news`)."""

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass

from kubeslice.gateway import device
from kubeslice.gateway.tunnels import Line, Prober
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import ApiError
from kubeslice.model import names
from kubeslice.model.resources import SLICEGATEWAYS
from kubeslice.plan import tunnel
from kubeslice.plan.wireguard import SeenDevice, SeenPeer
from kubeslice.runtime.metrics import CollectorRegistry, Gauge

log = logging.getLogger(__name__)

INTERVAL = 5.0


@dataclass(frozen=True)
class Author:
    """Who reports: the pod, its plane, and what carries its tunnels."""

    pod: str
    plane: int
    engine: str


class Metrics:
    """The figures of all tunnels, by SliceGateway."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, words: str) -> Gauge:
            return Gauge(f"kubeslice_gateway_{name}", words, ["gateway"], registry=registry)

        self.up = gauge("tunnel_up", "1 while echo requests through the tunnel are answered.")
        self.latency = gauge("tunnel_latency_seconds", "Median round-trip time of the last minute.")
        self.loss = gauge("tunnel_loss_ratio", "Share of echo requests of the last minute that were lost.")
        self.received = gauge("tunnel_received_bytes", "Bytes received since the tunnel was made.")
        self.sent = gauge("tunnel_sent_bytes", "Bytes sent since the tunnel was made.")
        self.handshake = gauge("tunnel_handshake_timestamp_seconds", "When the ends last agreed on keys, Unix time.")

    def show(self, line: Line, seen: SeenPeer, now: float) -> None:
        """Set the figures of one tunnel."""
        name = line.peer.gateway
        self.up.labels(name).set(line.tunnel.state == "UP")
        self.latency.labels(name).set((line.tunnel.latency or 0) / 1e6)
        self.loss.labels(name).set((line.tunnel.loss(now) or 0) / 100)
        self.received.labels(name).set(seen.received)
        self.sent.labels(name).set(seen.sent)
        self.handshake.labels(name).set(seen.handshake)


class Reporter:
    """Writes the state of every tunnel to its SliceGateway; at once when `news` is set."""

    def __init__(self, api: Api, prober: Prober, author: Author, metrics: Metrics, news: asyncio.Event) -> None:
        self._api = api
        self._prober = prober
        self._author = author
        self._metrics = metrics
        self._written: dict[str, tuple[Object, float]] = {}
        self._news = news

    def look(self, _: Object | None, gateway: Object | None) -> None:
        """Tell a SliceGateway again what it does not say any more, because it was made anew or somebody emptied it."""
        if gateway is None or self._is_told(gateway):
            return
        if self._written.pop(objects.name(gateway), None):
            self._news.set()

    def _is_told(self, gateway: Object) -> bool:
        planes = objects.status(gateway).get("planes") or []
        return any(entry.get("plane") == self._author.plane for entry in planes)

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL):
                    await self._news.wait()
            self._news.clear()
            await self._report(await asyncio.to_thread(device.state))

    async def _report(self, seen: SeenDevice) -> None:
        now = time.monotonic()
        for key, line in list(self._prober.lines.items()):
            peer = seen.peers.get(key, SeenPeer())
            self._metrics.show(line, peer, now)
            entry = tunnel.report(line.tunnel, peer, self._author.plane, self._author.pod, self._author.engine, now)
            old, written = self._written.get(line.peer.gateway, (None, now))
            if tunnel.is_news(old, entry, now - written):
                await self._write(line.peer.gateway, entry, now)

    async def _write(self, gateway: str, entry: Object, now: float) -> None:
        body = {
            "apiVersion": SLICEGATEWAYS.api_version,
            "kind": SLICEGATEWAYS.kind,
            "metadata": {"name": gateway, "namespace": names.WORKER_NAMESPACE},
            "status": {"planes": [entry]},
        }
        manager = names.gateway_manager(self._author.plane)
        try:
            await self._api.apply(SLICEGATEWAYS, body, manager=manager, subresource="status")
        except ApiError as error:
            # Told again with the next report; the tunnel does not depend on it.
            log.warning("the state of %s was not written: %s", gateway, error.message)
            return
        self._written[gateway] = (entry, now)
