"""Finds the largest packet that every tunnel carries whole, and keeps finding out.

Outside the tunnel, echo requests that must not be cut go to the endpoint; inside, one of the resulting size has to come
back: that is the proof, and where the endpoint does not answer it is the search itself. Nothing depends on ICMP errors;
where they arrive the search is shorter. `tunnels` puts the result on the routes, `report` into the status.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from kubeslice.gateway.engine import Overhead
from kubeslice.gateway.probing import Prober, Target
from kubeslice.linux import paths
from kubeslice.linux.echo import ANY, Echo
from kubeslice.plan import endpoints
from kubeslice.plan.tunnels import pathmtu
from kubeslice.plan.tunnels.pathmtu import Search
from kubeslice.runtime.resting import rest

log = logging.getLogger(__name__)

TICK = 1.0
CHECK = 5.0  # seconds between the proofs in between
SOON = 5.0  # seconds after which a search that came to nothing is tried again
ATTEMPTS = 3
LEAST_PATIENCE, MOST_PATIENCE, ROUNDS = 0.2, 1.0, 3
SMALL = 64
INSIDE_LANE, OUTSIDE_LANE = 1, 2
MOST_HOSTS = 3
Host = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Scene:
    """What the tunnels are made of: our address and MTU in the slice, and what the engine adds."""

    address: IPv4Address
    mtu: int
    overhead: Overhead


@dataclass
class Path:
    """The way to one remote cluster. `mtu` is that of the tunnel, None while it is not known.

    `outer` is the largest packet that got to the other end, as far as one was needed; 0 when nothing is known.
    `told` is what the kernel knew of the way when it was last asked.
    """

    facts: tuple[object, ...] = ()
    mtu: int | None = None
    outer: int = 0
    told: int = 0
    complaint: str = ""
    search_at: float = 0.0
    check_at: float = 0.0
    task: asyncio.Task[None] | None = None


@dataclass(frozen=True)
class Way:
    """Where a tunnel's packets go: hosts that the other side announces, or the one of them that is in use.

    `seen` is where the engine sends to, which may be a NAT of our own side, where packets that came in are answered.
    """

    hosts: tuple[Host, ...]
    seen: Host | None = None

    def known(self) -> int:
        """Return the smallest MTU that the kernel knows on the way, 0 for none."""
        hosts = {*self.hosts[:1], *([self.seen] if self.seen else [])}
        return min((known for host in hosts if (known := paths.mtu(host))), default=0)


class Lane:
    """Echo requests of any size by one socket, each with its answer awaited."""

    def __init__(self, source: IPv4Address, lane: int) -> None:
        self._echo = Echo(source, self._answered, lane=lane, is_whole=True)
        self._number = 0
        self._waiting: dict[int, asyncio.Event] = {}

    async def passes(self, target: IPv4Address, size: int, patience: float, device: str = "") -> bool | None:
        """Tell whether a packet of that size is answered in time; None when not even small ones are."""
        numbers: list[int] = []
        is_alive = asyncio.Event()
        is_whole = asyncio.Event()
        try:
            for attempt in range(ATTEMPTS):
                numbers.append(self._send(target, size, device, is_whole))
                if attempt:
                    numbers.append(self._send(target, SMALL, device, is_alive))
                if await rest(patience, is_whole):
                    return True
        finally:
            for number in numbers:
                self._waiting.pop(number, None)
        return False if is_alive.is_set() else None

    def close(self) -> None:
        """Stop listening."""
        self._echo.close()

    def _send(self, target: IPv4Address, size: int, device: str, answered: asyncio.Event) -> int:
        self._number = (self._number + 1) & 0xFFFF
        self._waiting[self._number] = answered
        self._echo.send(target, self._number, device, size)
        return self._number

    def _answered(self, _: IPv4Address, number: int) -> None:
        if answered := self._waiting.get(number):
            answered.set()


class PathProber:
    """Knows the MTU of every tunnel. `endpoints` are where the remote gateways are reached now, by cluster.

    `scene` says what the tunnels are made of, None before there are any; `changed` is called when a result is new.
    After `again` seconds each path is searched anew.
    """

    def __init__(
        self,
        prober: Prober,
        scene: Callable[[], Scene | None],
        endpoints: Callable[[], Mapping[str, str]],
        changed: Callable[[], None],
        again: float,
    ) -> None:
        self._again = again
        self._prober = prober
        self._scene = scene
        self._endpoints = endpoints
        self._changed = changed
        self._paths: dict[str, Path] = {}
        self._lanes: dict[tuple[IPv4Address, int], Lane] = {}

    def mtu(self, remote: str) -> int | None:
        """Return the largest packet that the tunnel to a remote cluster carries whole; None while that is not known."""
        path = self._paths.get(remote)
        return path.mtu if path else None

    def complaint(self, remote: str) -> str:
        """Say what is wrong with the path to a remote cluster, or ""."""
        path = self._paths.get(remote)
        return path.complaint if path else ""

    async def run(self) -> None:
        """Search and check until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._tick(group, time.monotonic())
                await asyncio.sleep(TICK)

    def close(self) -> None:
        """Stop listening."""
        for lane in self._lanes.values():
            lane.close()
        self._lanes = {}

    def _tick(self, group: asyncio.TaskGroup, now: float) -> None:
        scene, endpoints = self._scene(), self._endpoints()
        self._paths = {remote: path for remote, path in self._paths.items() if remote in self._prober.lines}
        if scene is None:
            return
        for target in self._carriers():
            path = self._paths.setdefault(target.id.remote, Path())
            way = _way(target, endpoints.get(target.id.remote, ""))
            facts = (target.device, way, scene)
            if facts != path.facts:
                path.facts, path.search_at = facts, now
            if path.task is not None and not path.task.done():
                continue
            if now >= path.search_at:
                path.search_at, path.check_at = now + self._again, now + CHECK
                path.task = group.create_task(_spared(self._search(path, target, way, scene)))
            elif path.mtu is not None and (_has_news(path, way) or now >= path.check_at):
                path.check_at = now + CHECK
                path.task = group.create_task(_spared(self._check(path, target, way, scene)))

    def _carriers(self) -> list[Target]:
        """Return the tunnels that carry traffic and are up."""
        lines = self._prober.lines
        up = {remote: line.carrier for remote, line in lines.items() if line.state == "UP"}
        return [target for target in self._prober.targets.values() if up.get(target.id.remote) == target.id.generation]

    async def _check(self, path: Path, target: Target, way: Way, scene: Scene) -> None:
        """Prove that what was found still holds. An engine whose packets the kernel cuts up would not notice."""
        lane, size, patience = self._lane(scene.address, INSIDE_LANE), path.mtu or SMALL, self._patience(target)
        is_told = 0 < way.known() < size + _costs(scene, way)[0]
        if is_told or await lane.passes(target.address, size, patience, target.device) is False:
            log.info("packets of %d bytes do not get to %s whole any more", size, target.id.remote)
            path.search_at = 0.0

    async def _search(self, path: Path, target: Target, way: Way, scene: Scene) -> None:
        overhead, block = _costs(scene, way)
        most = scene.mtu + overhead
        if 0 < way.known() < most:  # it may be wider by now
            await asyncio.to_thread(paths.forget)
        outer = 0
        for host in way.hosts[:MOST_HOSTS]:
            if isinstance(host, IPv4Address) and not outer:
                outer = await self._outside(path.outer, host, most, self._patience(target))
        limit = outer or way.known()
        bound = pathmtu.inside(limit, overhead, block, scene.mtu) if limit else scene.mtu
        found = await self._inside(path, target, scene, bound)
        if found is None:
            path.search_at = time.monotonic() + SOON
            return
        if self._conclude(path, target.id.remote, found, outer, scene) and found < bound:
            path.search_at = time.monotonic() + SOON  # the way may have changed between outside and inside

    async def _outside(self, guess: int, host: IPv4Address, most: int, patience: float) -> int:
        """Return the largest packet up to `most` that gets to a host, 0 when it does not answer."""
        own = paths.mtu(host)
        search = Search(pathmtu.SMALLEST, min(own or most, most), guess)
        lane = self._lane(ANY, OUTSIDE_LANE)
        while (size := search.size) is not None:
            answered = await lane.passes(host, size, patience)
            if answered is None:
                return 0
            if answered:
                search.passed(size)
            else:
                told = paths.mtu(host)
                search.failed(size, told if told < own else 0)
        return search.low

    async def _inside(self, path: Path, target: Target, scene: Scene, bound: int) -> int | None:
        """Return the largest packet up to `bound` that comes back through the tunnel; None when none does."""
        lane, patience = self._lane(scene.address, INSIDE_LANE), self._patience(target)
        search = Search(pathmtu.SMALLEST_INSIDE, bound, path.mtu or 0)
        while (size := search.size) is not None:
            answered = await lane.passes(target.address, size, patience, target.device)
            if answered is None:
                return None
            if answered:
                search.passed(size)
            else:
                search.failed(size)
        return search.low

    def _patience(self, target: Target) -> float:
        """Return how long an answer is waited for: some round trips."""
        line = self._prober.lines.get(target.id.remote)
        latency = (line.carrying.latency or 0) / 1e6 if line else 0.0
        return min(MOST_PATIENCE, LEAST_PATIENCE + ROUNDS * latency)

    def _conclude(self, path: Path, remote: str, found: int, outer: int, scene: Scene) -> bool:
        """Note what was found; tell whether it is new."""
        if (path.mtu, path.outer) == (found, outer):
            return False
        log.info("the tunnel to %s carries packets of %d bytes (path: %s)", remote, found, outer or "unknown")
        path.mtu, path.outer = found, outer
        # What the slice does not need is nobody's fault.
        path.complaint = pathmtu.complaint(outer) if found < scene.mtu else ""
        self._changed()
        return True

    def _lane(self, source: IPv4Address, number: int) -> Lane:
        key = (source, number)
        if key not in self._lanes:
            self._lanes[key] = Lane(source, number)
        return self._lanes[key]


async def _spared(work: Coroutine[Any, Any, None]) -> None:
    """Do something the tunnels can be without."""
    try:
        await work
    except Exception:
        log.exception("a mistake in the search for a path's MTU; the tunnels go on")


def _has_news(path: Path, way: Way) -> bool:
    """Tell whether the kernel was told something of the way since it was last asked."""
    before, path.told = path.told, way.known()
    return path.told != before


def _way(target: Target, endpoint: str) -> Way:
    """Return where the packets of a tunnel go: nowhere that matters with TCP, which finds out by itself."""
    if target.peer.protocol == "TCP":
        return Way(())
    announced = tuple(dict.fromkeys(host for text in target.peer.endpoints if (host := _host(text)) is not None))
    seen = _host(endpoint)
    return Way((seen,) if seen in announced else announced, seen)


def _host(endpoint: str) -> Host | None:
    found = endpoints.parse(endpoint)
    return found.address if found else None


def _costs(scene: Scene, way: Way) -> tuple[int, int]:
    """Return what the engine adds to a packet on its way, and the blocks that it pads to."""
    overhead, is_new = scene.overhead, any(isinstance(host, IPv6Address) for host in (*way.hosts, way.seen))
    return (overhead.ipv6 if is_new else overhead.ipv4), overhead.block
