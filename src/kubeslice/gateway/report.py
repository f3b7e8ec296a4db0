"""What a gateway tells of its tunnels: `SliceGateway.status.planes` and metrics, no more than is news."""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from kubeslice.gateway.pathmtu import PathProber
from kubeslice.gateway.probing import Prober
from kubeslice.gateway.tunnels import GatewayReconciler
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import ApiError
from kubeslice.model import names
from kubeslice.model.errors import Retry
from kubeslice.model.resources import SLICEGATEWAYS
from kubeslice.plan.tunnels import tunnel
from kubeslice.plan.tunnels.peers import SeenPeer, TunnelId
from kubeslice.plan.tunnels.tunnel import Author, Line
from kubeslice.runtime.metrics import CollectorRegistry, Gauge
from kubeslice.runtime.resting import rest

log = logging.getLogger(__name__)

INTERVAL = 5.0
Seen = Mapping[int, SeenPeer]


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
        self.generation = gauge("tunnel_key_generation", "Generation of the keys that carries the traffic.")

    def show(self, name: str, line: Line, seen: Seen, now: float) -> None:
        """Set the figures of one tunnel."""
        self.up.labels(name).set(line.state == "UP")
        self.latency.labels(name).set((line.carrying.latency or 0) / 1e6)
        self.loss.labels(name).set((line.carrying.loss(now) or 0) / 100)
        self.received.labels(name).set(sum(peer.received for peer in seen.values()))
        self.sent.labels(name).set(sum(peer.sent for peer in seen.values()))
        self.handshake.labels(name).set(seen[line.carrier].handshake if line.carrier in seen else 0)
        self.generation.labels(name).set(line.carrier)


@dataclass(frozen=True)
class Pen:
    """What a report is written with: the API, and who writes."""

    api: Api
    pod: str
    plane: int


class Reporter:
    """Writes the state of every tunnel to its SliceGateway; at once when `news` is set.

    `endpoints` are where the remote gateways that carry traffic were reached last, by cluster.
    """

    def __init__(
        self,
        pen: Pen,
        reconciler: GatewayReconciler,
        prober: Prober,
        paths: PathProber,
        metrics: Metrics,
        news: asyncio.Event,
    ) -> None:
        self.endpoints: dict[str, str] = {}
        self._pen = pen
        self._reconciler = reconciler
        self._prober = prober
        self._paths = paths
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
        return any(entry.get("plane") == self._pen.plane for entry in planes)

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            await rest(INTERVAL, self._news)
            self._news.clear()
            if self._reconciler.engine is not None:
                await self._report(await self._observe())

    async def _observe(self) -> dict[TunnelId, SeenPeer]:
        """Return what the engine sees, and why it sees nothing where it cannot."""
        assert self._reconciler.engine is not None
        try:
            seen = dict(await self._reconciler.engine.observe())
        except Retry as retry:  # a device that goes while it is looked at; the next look finds it or its reason
            log.debug("nothing is seen of the tunnels: %s", retry)
            seen = {}
        for known in self._prober.targets:
            if trouble := self._reconciler.troubles.get(known.generation):
                seen[known] = replace(seen.get(known, SeenPeer()), problem=trouble)
        return seen

    async def _report(self, seen: Mapping[TunnelId, SeenPeer]) -> None:
        assert self._reconciler.engine is not None
        now, engine = time.monotonic(), self._reconciler.engine
        author = Author(self._pen.pod, self._pen.plane, engine.description, engine.cipher)
        gateways = {target.id.remote: target.peer.gateway for target in self._prober.targets.values()}
        by_remote: dict[str, dict[int, SeenPeer]] = {}
        for known, peer in seen.items():
            by_remote.setdefault(known.remote, {})[known.generation] = peer
        for remote, line in list(self._prober.lines.items()):
            peers = by_remote.get(remote, {})
            self._metrics.show(gateways[remote], line, peers, now)
            if line.carrier in peers and peers[line.carrier].endpoint:
                self.endpoints[remote] = peers[line.carrier].endpoint
            entry = tunnel.report(line, peers, author, self._paths.mtu(remote), now)
            if complaint := self._paths.complaint(remote):
                entry.setdefault("message", complaint)
            old, written = self._written.get(gateways[remote], (None, now))
            if tunnel.is_news(old, entry, now - written):
                await self._write(gateways[remote], entry, now)

    async def _write(self, gateway: str, entry: Object, now: float) -> None:
        body = {
            "apiVersion": SLICEGATEWAYS.api_version,
            "kind": SLICEGATEWAYS.kind,
            "metadata": {"name": gateway, "namespace": names.WORKER_NAMESPACE},
            "status": {"planes": [entry]},
        }
        manager = names.gateway_manager(self._pen.plane)
        try:
            await self._pen.api.apply(SLICEGATEWAYS, body, manager=manager, subresource="status")
        except ApiError as error:
            # Told again with the next report; the tunnel does not depend on it.
            log.warning("the state of %s was not written: %s", gateway, error.message)
            return
        self._written[gateway] = (entry, now)
