"""The tunnels of one gateway while they live: probed every second, called anew when silent, known to everybody.

`GatewayReconciler` is what the controller runs: it reads the Slice and its SliceGateways and keeps the device as they
want it. `Prober` owns the clockwork of `plan.tunnel`.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from kubeslice.gateway import device
from kubeslice.gateway.device import Wanted
from kubeslice.gateway.engine import Engine
from kubeslice.kube.informer import Informer
from kubeslice.linux import wireguard as wg
from kubeslice.linux.echo import Echo
from kubeslice.model import names
from kubeslice.model.errors import Retry
from kubeslice.model.ids import Key
from kubeslice.plan import segment, wireguard
from kubeslice.plan.ipam import ClusterPlan
from kubeslice.plan.tunnel import Tunnel
from kubeslice.plan.wireguard import Peer
from kubeslice.runtime.controller import Result

log = logging.getLogger(__name__)

INTERVAL, EAGER_INTERVAL = 1.0, 0.1
RESYNC = 60.0


@dataclass(frozen=True)
class Line:
    """A tunnel with the peer it leads to, and the address at the far end that answers echo requests."""

    peer: Peer
    target: IPv4Address
    tunnel: Tunnel


class Prober:
    """Sends echo requests through every tunnel. `changed` is called when one goes up or down."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.lines: dict[str, Line] = {}
        self._changed = changed
        self._echo: Echo | None = None
        self._source: IPv4Address | None = None
        self._number = 0
        self._called = asyncio.Event()

    @property
    def attempts(self) -> dict[str, int]:
        """Return how often each peer, by public key, was called in vain."""
        return {key: line.tunnel.attempt for key, line in self.lines.items()}

    async def rest(self) -> None:
        """Wait until the next probes are due: a second, less while a peer that was just called is silent."""
        is_eager = any(line.tunnel.is_eager(time.monotonic()) for line in self.lines.values())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EAGER_INTERVAL if is_eager else INTERVAL):
                await self._called.wait()
                self._called.clear()

    def watch(self, peers: tuple[Peer, ...], plane: int, source: IPv4Address) -> None:
        """Follow these peers from now on, and call on new ones at once."""
        if source != self._source:
            self.close()
            self._echo, self._source = Echo(source, self._answered), source
        keys = {peer.public_key for peer in peers}
        self.lines = {key: line for key, line in self.lines.items() if key in keys}
        for peer in peers:
            known = self.lines.get(peer.public_key)
            target = ClusterPlan(peer.subnet).gateway(plane)
            tunnel = known.tunnel if known else Tunnel(time.monotonic(), time.time())
            self.lines[peer.public_key] = Line(peer, target, tunnel)
            if known is None:
                self._send(self.lines[peer.public_key])
                self._called.set()

    def call(self, keys: list[str]) -> None:
        """Send a request at once to peers that were just called anew."""
        for key in keys:
            if key in self.lines:
                self._send(self.lines[key])

    def tick(self) -> list[str]:
        """Probe every tunnel; return the public keys of the peers that are to be called anew."""
        now = time.monotonic()
        due = []
        for key, line in self.lines.items():
            self._judge(line)
            if line.peer.endpoints and line.tunnel.is_due(now):
                line.tunnel.call(now)
                due.append(key)
            elif line.tunnel.is_eager(now) or now - line.tunnel.probed >= INTERVAL - EAGER_INTERVAL:
                self._send(line)
        return due

    def close(self) -> None:
        """Stop listening."""
        if self._echo is not None:
            self._echo.close()
        self._echo = self._source = None

    def _send(self, line: Line) -> None:
        if self._echo is not None:
            self._number = (self._number + 1) & 0xFFFF
            line.tunnel.sent(self._number, time.monotonic())
            self._echo.send(line.target, self._number)

    def _answered(self, sender: IPv4Address, number: int) -> None:
        for line in self.lines.values():
            if line.target == sender:
                line.tunnel.received(number, time.monotonic())
                self._judge(line)

    def _judge(self, line: Line) -> None:
        if line.tunnel.judge(time.monotonic(), time.time()):
            log.info("tunnel of %s is %s", line.peer.gateway, line.tunnel.state)
            self._changed()


class GatewayReconciler:
    """Keeps the device of one plane as the Slice and its SliceGateways want it."""

    def __init__(
        self, slices: Informer, gateways: Informer, plane: int, engine: Engine, keys: Path, prober: Prober
    ) -> None:
        self.is_configured = False
        self._slices = slices
        self._gateways = gateways
        self._plane = plane
        self._engine = engine
        self._key_file = keys / "privateKey"
        self._prober = prober
        self._lock = asyncio.Lock()

    async def reconcile(self, key: Key) -> Result:
        """Bring device, routes and filter in line, and follow the peers."""
        obj = self._slices.get(key.name, key.namespace)
        own = segment.parse(obj, "") if obj is not None else None
        if own is None:
            return Result("waits for the slice to have its addresses")
        peers = tuple(wireguard.peers(self._gateways.items(), self._plane))
        async with self._lock:
            public_key = await asyncio.to_thread(wg.public_key, self._key_file)
            wanted = Wanted(own, self._plane, self._engine.kind, peers, self._key_file, public_key)
            await asyncio.to_thread(device.ensure, wanted, self._prober.attempts)
        self._prober.watch(peers, self._plane, own.cluster.gateway(self._plane))
        self.is_configured = True
        return Result(f"plane {self._plane} has {len(peers)} peers", after=RESYNC)

    async def probe(self, slice_key: Key) -> None:
        """Probe once a second until cancelled, and call silent peers anew."""
        while True:
            await self._prober.rest()
            if due := self._prober.tick():
                try:
                    await self._call(due, slice_key)
                except Retry as retry:  # the device is being made anew, and calls everybody when it is there
                    log.debug("peers are called later: %s", retry)

    async def _call(self, keys: list[str], slice_key: Key) -> None:
        """Call peers anew: as strangers, because WireGuard makes its acquaintances wait 5 s for the next try."""
        async with self._lock:
            await asyncio.to_thread(device.forget, keys)
        await self.reconcile(slice_key)
        self._prober.call(keys)


def slice_key(name: str) -> Key:
    """Return the key of the one slice a gateway belongs to."""
    return Key("", names.WORKER_NAMESPACE, name)
