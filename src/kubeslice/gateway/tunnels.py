"""The tunnels of one plane, kept as the Slice, its SliceGateways and the plane's Secret want them.

All generations of keys in force are up side by side. The traffic to a remote cluster takes the newest whose tunnel is
up, else the oldest; to change over is to replace one route. `GatewayReconciler` is what the controller runs.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kubeslice.gateway import device, probing
from kubeslice.gateway.device import Wanted
from kubeslice.gateway.engine import Engine
from kubeslice.gateway.lookup import Lookup
from kubeslice.gateway.pathmtu import PathProber, Scene
from kubeslice.gateway.probing import Prober
from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.informer import Informer
from kubeslice.model import names
from kubeslice.model.errors import Retry, Terminal
from kubeslice.model.ids import Key
from kubeslice.plan.datapath import segment
from kubeslice.plan.datapath.segment import Segment
from kubeslice.plan.keys import gateway_keys
from kubeslice.plan.routing.routes import Way
from kubeslice.plan.tunnels import peers
from kubeslice.plan.tunnels.peers import Generation, TunnelId
from kubeslice.runtime.controller import Result

log = logging.getLogger(__name__)

RESYNC = 60.0
SILENCED = 1.5  # seconds: the routers' detection time, and as much again for a busy machine
Engines = Callable[[Object], Engine]


@dataclass(frozen=True)
class Sources:
    """What a gateway follows: its Slice, the SliceGateways of the slice, the Secret of its plane."""

    slices: Informer
    gateways: Informer
    secrets: Informer


class GatewayReconciler:
    """Keeps the tunnels of one plane. `engines` makes the engine that a Slice asks for when it is first wanted.

    `paths` knows how large packets may be on the way to each remote cluster.
    """

    def __init__(self, sources: Sources, plane: int, engines: Engines, prober: Prober, paths: PathProber) -> None:
        self.is_configured = False
        self.engine: Engine | None = None
        self.troubles: Mapping[int, str] = {}
        self._sources = sources
        self._plane = plane
        self._engines = engines
        self._prober = prober
        self._paths = paths
        self._generations: Sequence[Generation] = ()
        self._is_leaving = False
        self._lock = asyncio.Lock()
        self._lookup = Lookup()

    async def reconcile(self, key: Key) -> Result:
        """Bring filter, tunnels and routes in line, and follow the peers."""
        obj = self._sources.slices.get(key.name, key.namespace)
        own = segment.parse(obj, "") if obj is not None else None
        if obj is None or own is None:
            return Result("waits for the slice to have its addresses")
        async with self._lock:
            await self._bring(own, obj["spec"])
        return Result(self._sentence(), after=RESYNC)

    @property
    def scene(self) -> Scene | None:
        """Return what the tunnels are made of, None before there are any."""
        if self.engine is None or not self._generations:
            return None
        own = self._generations[0]
        return Scene(own.address, own.mtu, self.engine.overhead)

    async def probe(self) -> None:
        """Probe until cancelled, and call silent peers anew."""
        while True:
            await self._prober.rest()
            if due := self._prober.tick():
                try:
                    await self._call(due)
                except Retry as retry:  # the device is being made anew, and calls everybody when it is there
                    log.debug("peers are called later: %s", retry)

    async def leave(self, slice_key: Key) -> None:
        """Let the routers of both ends take other planes, and forward what they send until they do."""
        own = self._sources.slices.get(slice_key.name, slice_key.namespace)
        if not self.is_configured or own is None or objects.is_deleting(own):
            return
        self._is_leaving = True
        with contextlib.suppress(Retry, Terminal):  # the filter, which is what counts, comes before all that may fail
            await self.reconcile(slice_key)
        await asyncio.sleep(SILENCED)

    async def close(self) -> None:
        """Let go of sockets and programs."""
        self._prober.close()
        self._paths.close()
        if self.engine is not None:
            await self.engine.close()

    async def _bring(self, own: Segment, spec: Object) -> None:
        if self.engine is None:
            self.engine = self._engines(spec)
        engine = self.engine
        sides = peers.sides(self._sources.gateways.items(), own)
        generations = peers.generations(own, self._plane, spec, sides, self._secret(own))
        self._generations = await self._lookup.resolved(generations)
        targets = [target for generation in self._generations for target in self._targets(generation, engine)]
        tunnels = frozenset(target.device for target in targets)
        wanted = Wanted(own, self._plane, tunnels, peers.pairs_carried(sides), self._is_leaving)
        await asyncio.to_thread(device.guard, wanted)
        failures = await self._ensure(engine)
        self._prober.watch(targets, own.cluster.gateway(self._plane))
        carriers = self._prober.carriers
        await asyncio.to_thread(device.lead, wanted, tuple(self._ways(targets, carriers, own.mtu)))
        self._prober.lay(carriers)
        # The retired generation goes last: by now no route leads to it.
        await engine.keep([generation.number for generation in self._generations])
        if failures:
            raise failures[0]
        self.is_configured = True

    def _targets(self, generation: Generation, engine: Engine) -> list[probing.Target]:
        return probing.targets(generation.number, generation.peers, self._plane, engine.device)

    async def _ensure(self, engine: Engine) -> list[Retry | Terminal]:
        """Bring up every generation; one that cannot be is no reason to leave the others."""
        failures: dict[int, Retry | Terminal] = {}
        for generation in self._generations:
            try:
                await engine.ensure(generation)
            except (Retry, Terminal) as failure:
                failures[generation.number] = failure
        self.troubles = {number: str(failure) for number, failure in failures.items()}
        return list(failures.values())

    def _ways(self, targets: Iterable[probing.Target], carriers: Mapping[str, int], mtu: int) -> Iterator[Way]:
        for target in targets:
            if target.id.generation == carriers.get(target.id.remote):
                narrow = self._paths.mtu(target.id.remote) or mtu
                for subnet in target.peer.allowed:
                    yield Way(subnet, target.device, narrow if narrow < mtu else 0)

    def _secret(self, own: Segment) -> dict[str, str]:
        name = names.gateway_deployment(own.slice, self._plane)
        return gateway_keys.texts(self._sources.secrets.get(name, names.WORKER_NAMESPACE))

    async def _call(self, due: list[TunnelId]) -> None:
        async with self._lock:
            if self.engine is None:
                return
            seen = await self.engine.observe()
            calls = self._prober.calls(self._prober.targets.keys() & due, seen)
            for generation in self._generations:
                if attempts := calls.get(generation.number):
                    await self.engine.call(generation, attempts)
                    self._prober.probe(generation.number, attempts)

    def _sentence(self) -> str:
        known = {peer.remote for generation in self._generations for peer in generation.peers}
        numbers = ", ".join(str(generation.number) for generation in self._generations)
        return f"plane {self._plane} has {len(known)} peers, generation {numbers}"


def slice_key(name: str) -> Key:
    """Return the key of the one slice a gateway belongs to."""
    return Key("", names.WORKER_NAMESPACE, name)
