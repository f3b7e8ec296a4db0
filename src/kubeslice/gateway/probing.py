"""The clockwork of tunnels: echo requests through every one of them, twice a second, and what becomes of the answers.

`Prober` owns the machines of `plan.tunnels.tunnel`; the reconciler tells it whom to probe, reports read from it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from kubeslice.linux.echo import Echo
from kubeslice.model.errors import Retry
from kubeslice.plan.address.ipam import ClusterPlan
from kubeslice.plan.tunnels.peers import Peer, SeenPeer, TunnelId
from kubeslice.plan.tunnels.tunnel import Line, Tunnel
from kubeslice.runtime.resting import rest

log = logging.getLogger(__name__)

INTERVAL, EAGER_INTERVAL = 0.5, 0.1


@dataclass(frozen=True)
class Target:
    """One tunnel to probe: where it leads, through which device, and the address at the far end that answers."""

    id: TunnelId
    peer: Peer
    device: str
    address: IPv4Address


def targets(generation: int, peers: Sequence[Peer], plane: int, device: Callable[[int, Peer], str]) -> list[Target]:
    """Return the tunnels of one generation."""
    return [
        Target(
            TunnelId(generation, peer.remote), peer, device(generation, peer), ClusterPlan(peer.subnet).gateway(plane)
        )
        for peer in peers
    ]


class Prober:
    """Sends echo requests through every tunnel. `changed` is called with the remote cluster whose line changed."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        self.lines: dict[str, Line] = {}
        self.targets: dict[TunnelId, Target] = {}
        self._remotes: dict[IPv4Address, str] = {}
        self._changed = changed
        self._echo: Echo | None = None
        self._source: IPv4Address | None = None
        self._number = 0
        self._called = asyncio.Event()

    def watch(self, wanted: Sequence[Target], source: IPv4Address) -> None:
        """Follow these tunnels from now on, and probe new ones at once. Raises `Retry` while `source` is not ours."""
        if source != self._source:
            self.close()
            try:
                self._echo, self._source = Echo(source, self._answered), source
            except OSError as error:
                raise Retry(f"nothing can be sent from {source} yet: {error.strerror}", after=0.05) from error
        before, self.targets = self.targets, {target.id: target for target in wanted}
        self._remotes = {target.address: target.id.remote for target in wanted}
        remotes = set(self._remotes.values())
        self.lines = {remote: line for remote, line in self.lines.items() if remote in remotes}
        for line_of, line in self.lines.items():
            known = {generation for generation, remote in self.targets if remote == line_of}
            line.tunnels = {generation: tunnel for generation, tunnel in line.tunnels.items() if generation in known}
        for target in wanted:
            self._follow(target, before.get(target.id))
        for remote in remotes:
            self._judge(remote)

    @property
    def carriers(self) -> dict[str, int]:
        """Return the generation that is to carry the traffic to each remote cluster."""
        return {remote: line.carrier for remote, line in self.lines.items()}

    def lay(self, carriers: Mapping[str, int]) -> None:
        """Note that the routes lead there now."""
        for remote, line in self.lines.items():
            laid = carriers.get(remote, 0)
            if laid != line.laid:
                line.laid = laid
                self._changed(remote)

    async def rest(self) -> None:
        """Wait until the next probes are due: half a second, less while a peer that was just called is silent."""
        now = time.monotonic()
        is_eager = any(tunnel.is_eager(now) for _, tunnel in self._tunnels())
        if await rest(EAGER_INTERVAL if is_eager else INTERVAL, self._called):
            self._called.clear()

    def tick(self) -> list[TunnelId]:
        """Probe every tunnel; return those whose peers have been silent for so long that they are to be called anew."""
        now = time.monotonic()
        due = []
        for remote in list(self.lines):
            self._judge(remote)
        for target, tunnel in self._tunnels():
            if target.peer.endpoints and tunnel.is_due(now):
                due.append(target.id)
            elif tunnel.is_eager(now) or now - tunnel.probed >= INTERVAL - EAGER_INTERVAL / 2:
                self._send(target, tunnel)
        return due

    def calls(self, due: Iterable[TunnelId], seen: Mapping[TunnelId, SeenPeer]) -> dict[int, dict[str, int]]:
        """Return who is really to be called, and which attempt it is: by generation and remote cluster."""
        found: dict[int, dict[str, int]] = {}
        for known in due:
            tunnel = self.lines[known.remote].tunnels[known.generation]
            peer = seen.get(known, SeenPeer())
            if tunnel.call(time.monotonic(), time.time() - peer.handshake, peer.received):
                found.setdefault(known.generation, {})[known.remote] = tunnel.attempt
        return found

    def probe(self, generation: int, remotes: Container[str]) -> None:
        """Send a request at once to peers that were just called anew."""
        for target, tunnel in self._tunnels():
            if target.id.generation == generation and target.id.remote in remotes:
                self._send(target, tunnel)

    def close(self) -> None:
        """Stop listening."""
        if self._echo is not None:
            self._echo.close()
        self._echo = self._source = None

    def _follow(self, target: Target, before: Target | None) -> None:
        line = self.lines.setdefault(target.id.remote, Line(time.time()))
        tunnel = line.tunnels.get(target.id.generation)
        if tunnel is None:
            tunnel = line.tunnels[target.id.generation] = Tunnel(time.monotonic(), time.time())
            self._send(target, tunnel)
            self._called.set()
        elif before is not None and before.peer.endpoints != target.peer.endpoints:
            tunnel.has_moved = True
            self._called.set()

    def _tunnels(self) -> Iterator[tuple[Target, Tunnel]]:
        for target in self.targets.values():
            yield target, self.lines[target.id.remote].tunnels[target.id.generation]

    def _send(self, target: Target, tunnel: Tunnel) -> None:
        if self._echo is not None:
            self._number = (self._number + 1) & 0xFFFF
            tunnel.sent(self._number, time.monotonic())
            self._echo.send(target.address, self._number, target.device)

    def _answered(self, sender: IPv4Address, number: int) -> None:
        remote = self._remotes.get(sender, "")
        if line := self.lines.get(remote):
            for tunnel in line.tunnels.values():
                tunnel.received(number, time.monotonic())
            self._judge(remote)

    def _judge(self, remote: str) -> None:
        line = self.lines[remote]
        if line.judge(time.monotonic(), time.time()):
            log.info("tunnel to %s is %s, generation %d", remote, line.state, line.carrier)
            self._changed(remote)
