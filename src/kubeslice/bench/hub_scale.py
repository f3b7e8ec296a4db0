"""`hub-scale`: the hub with many clusters and slices, beside a bare loop of the same writes on the same API server.

API server, hub and workers are processes of their own that speak HTTP. Each number of clusters starts from nothing.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kubeslice.bench.scale import bareloop
from kubeslice.bench.scale.figures import Cost, Figures, Idling, Joined, Settling
from kubeslice.bench.scale.growth import Growth
from kubeslice.bench.scale.load import Load, slice_name
from kubeslice.bench.scale.newcomer import Newcomer
from kubeslice.bench.scale.scene import MANAGER, Scene, playing, register, server
from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.http import HttpApi
from kubeslice.model.resources import SLICECONFIGS

SIZES = (10, 30, 100)
QUICK_SIZES = (5, 15)
QUICK_SLICES = 4
QUICK_CHANGES = 3
CHANGES = 20
IDLE_SECONDS = 12.0
# On a machine that has other things to do.
PATIENCE = 300.0
PATIENCE_PER_PAIR = 0.1

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """The largest number of clusters, slices, clusters of each slice but the first, changes, and a server to use."""

    clusters: int = SIZES[-1]
    slices: int = 20
    members: int = 10
    changes: int = CHANGES
    sizes: Sequence[int] = SIZES
    kubeconfig: Path | None = None

    def loads(self) -> list[Load]:
        """Return what is measured, the smallest first."""
        sizes = [size for size in self.sizes if size < self.clusters]
        return [Load(size, self.slices, min(self.members, size)) for size in (*sizes, self.clusters)]


def quick(options: Options) -> Options:
    """Return options for a run of a minute."""
    sizes = QUICK_SIZES
    return replace(
        options, clusters=sizes[-1], slices=QUICK_SLICES, members=sizes[0], changes=QUICK_CHANGES, sizes=sizes
    )


async def measure(options: Options, progress: Progress = lambda _: None) -> Growth:
    """Measure with each number of clusters."""
    return Growth("hub-scale", [await _run(load, options, progress) for load in options.loads()])


async def _run(load: Load, options: Options, progress: Progress) -> Figures:
    async with server(options.kubeconfig) as config:
        progress(f"{load.clusters} clusters, {load.slices} slices, {load.pairs} pairs: registering")
        async with playing(config, load) as scene:
            registered = await register(scene, config)
            progress(f"{load.clusters} clusters registered in {registered:.1f} s")
            settling = await _settle(scene)
            progress(f"written and reported in {settling.seconds:.1f} s, {settling.rate:.0f} writes/s")
            joined, left = await _change(scene, options.changes)
            idling = await _idle(scene)
            memory = scene.hub.most_mebibytes
        async with HttpApi(from_kubeconfig(config)) as admin:
            bare = await bareloop.rate(admin)
        progress(f"the bare loop: {bare:.0f} writes/s")
    return Figures(load, registered, settling, joined, left, idling, memory, bare)


async def _settle(scene: Scene) -> Settling:
    load, before, spent = scene.load, await scene.traffic(), scene.hub.seconds
    version = await scene.written()
    for number in range(load.slices):
        await scene.admin.apply(SLICECONFIGS, load.slice_config(number), manager=MANAGER)
        await scene.crowd.ask({"export": [load.members_of(number)[0], slice_name(number)]})
    seconds = await scene.until(scene.is_settled, PATIENCE + load.pairs * PATIENCE_PER_PAIR, "every slice ready")
    writes = await scene.written() - version
    after, objects = await scene.traffic(), load.objects()
    costs = [Cost(objects[name], after[name] - before[name]) for name in load.cluster_names]
    return Settling(seconds, writes, scene.hub.seconds - spent, costs)


async def _change(scene: Scene, times: int) -> tuple[list[Joined], list[float]]:
    """Let the spare cluster join and leave the slice of all clusters; return what each took to be absorbed."""
    joined, left = [], []
    async with Newcomer.watched(scene) as newcomer:
        for _ in range(times):
            joined.append(await newcomer.join())
            left.append(await newcomer.leave())
    return joined, left


async def _idle(scene: Scene) -> Idling:
    await asyncio.sleep(2.0)
    before, spent, version = await scene.traffic(), scene.hub.seconds, await scene.written()
    await asyncio.sleep(IDLE_SECONDS)
    after, writes = await scene.traffic(), await scene.written() - version
    per_worker = [(after[name] - before[name]).total() / IDLE_SECONDS for name in scene.load.cluster_names]
    return Idling(writes / IDLE_SECONDS, per_worker, 100 * (scene.hub.seconds - spent) / IDLE_SECONDS)
