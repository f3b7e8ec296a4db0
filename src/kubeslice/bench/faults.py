"""What can die between two clusters: each fault breaks one thing, and mends it where nothing else would.

A fault gets the number of the trial and chooses its victim by it: the clusters by turns, then the planes and routers.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from enum import Enum

from kubeslice.bench.scene import Scene
from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.lab import commands
from kubeslice.model import names
from kubeslice.model.resources import NODES, PODS
from kubeslice.stage import places, processes
from kubeslice.stage.probes import NotMeasured
from kubeslice.stage.processes import Process
from kubeslice.stage.stage import HUB

ENGINES = ("wireguard-go", "openvpn")
HOLD = 3.0
# Longer than any tunnel or session takes to be given up, shorter than applications do.
OUTAGE = 4.0


class Promise(Enum):
    """What traffic may notice of a fault."""

    ANOTHER_PATH = "another path"
    NOTHING = "nothing"
    NO_LOSS = "no loss"
    COMES_BACK = "comes back"


Injection = Callable[[Scene, int], AbstractAsyncContextManager[str]]


@dataclass(frozen=True)
class Fault:
    """A thing to break: `inject` breaks it, yields who it was, and mends it at the end."""

    name: str
    promise: Promise
    inject: Injection


def faults() -> tuple[Fault, ...]:
    """Return the whole matrix, in the order in which it is run."""
    other, nothing, graceful = Promise.ANOTHER_PATH, Promise.NOTHING, Promise.NO_LOSS
    return (
        Fault("tunnel-process", other, _tunnel),
        Fault("gateway-process", other, _killing("gateway")),
        Fault("gateway-pod", other, _deleting(names.GATEWAY_POD, grace=0)),
        Fault("router-process", other, _killing("router")),
        Fault("bird", other, _killing("bird")),
        Fault("router-pod", other, _deleting(names.ROUTER_POD, grace=0)),
        Fault("node", other, _node),
        Fault("plane-path", other, _path(one_way=False)),
        Fault("plane-one-way", other, _path(one_way=True)),
        Fault("agent", nothing, _killing("agent")),
        Fault("operator", nothing, _killing("worker")),
        Fault("hub", nothing, _killing("hub")),
        Fault("hub-api", nothing, _killing("apiserver", HUB)),
        Fault("worker-api", nothing, _killing("apiserver")),
        Fault("gateway-delete", graceful, _deleting(names.GATEWAY_POD)),
        Fault("router-delete", graceful, _deleting(names.ROUTER_POD)),
        Fault("drain", graceful, _drain),
        Fault("cordon", graceful, _cordon),
        Fault("all-paths", Promise.COMES_BACK, _everything),
    )


def _killing(kind: str, where: str = "") -> Injection:
    """Return a fault that kills one process without warning: of the slice if it serves one, else of the cluster."""

    @asynccontextmanager
    async def inject(scene: Scene, trial: int) -> AsyncIterator[str]:
        victim = _chosen(await _candidates(scene, kind, where or scene.cluster(trial)), trial // 2, kind)
        processes.kill(victim)
        yield str(victim)
        await asyncio.sleep(HOLD)

    return inject


async def _candidates(scene: Scene, kind: str, cluster: str) -> list[Process]:
    if kind == "hub":
        cluster = HUB
    found = await (processes.of_lab() if kind == "apiserver" else processes.of_pods(scene.stage))
    mine = (scene.tenant.slice_name, "")
    return sorted(
        (one for one in found if one.kind == kind and one.cluster == cluster and one.slice_name in mine),
        key=lambda one: one.role,
    )


def _chosen(found: list[Process], number: int, kind: str) -> Process:
    if not found:
        raise NotMeasured(f"no process {kind} runs")
    return found[number % len(found)]


@asynccontextmanager
async def _tunnel(scene: Scene, trial: int) -> AsyncIterator[str]:
    """Kill the program that carries a tunnel; where the kernel does, delete its device."""
    cluster = scene.cluster(trial)
    found = [one for kind in ENGINES for one in await _candidates(scene, kind, cluster)]
    if found:
        victim = _chosen(found, trial // 2, "tunnel")
        processes.kill(victim)
        yield str(victim)
    else:
        pod = _one_of(await scene.pods(cluster, names.GATEWAY_POD), trial // 2)
        at = f"{cluster}/{names.WORKER_NAMESPACE}/{objects.name(pod)}"
        links = "ip -o link show type wireguard | cut -d: -f2 | xargs -n1 ip link del"
        await places.run(at, ["sh", "-c", links])
        yield f"tunnel devices of {objects.name(pod)} ({cluster})"
    await asyncio.sleep(HOLD)


def _deleting(kind: str, grace: int | None = None) -> Injection:
    """Return a fault that deletes a pod of the slice: at once, or as anybody does who restarts it."""

    @asynccontextmanager
    async def inject(scene: Scene, trial: int) -> AsyncIterator[str]:
        cluster = scene.cluster(trial)
        pod = objects.name(_one_of(await scene.pods(cluster, kind), trial // 2))
        await scene.stage.apis[cluster].delete(PODS, pod, names.WORKER_NAMESPACE, grace_seconds=grace)
        yield f"{pod} ({cluster})"
        await asyncio.sleep(HOLD)

    return inject


def _one_of(pods: list[Object], number: int) -> Object:
    if not pods:
        raise NotMeasured("there is no such pod")
    return pods[number % len(pods)]


@asynccontextmanager
async def _node(scene: Scene, trial: int) -> AsyncIterator[str]:
    """Stop the node of a cluster on which the traffic does not end."""
    node = scene.stage.cluster(scene.cluster(trial)).nodes[-1].name
    await asyncio.to_thread(commands.stop, node, places.lab())
    try:
        yield node
        await asyncio.sleep(OUTAGE)
    finally:
        await asyncio.to_thread(commands.start, node, places.lab())


def _path(*, one_way: bool) -> Injection:
    """Return a fault that lets the packets of one plane vanish between the two clusters, or only one direction."""

    @asynccontextmanager
    async def inject(scene: Scene, trial: int) -> AsyncIterator[str]:
        first, second = scene.cluster(trial), scene.cluster(trial + 1)
        plane = trial // 2 % scene.planes
        ports = sorted(await scene.tunnel_ports(plane))
        await asyncio.to_thread(commands.cut, first, second, places.lab(), one_way=one_way, ports=ports)
        try:
            yield f"plane {plane} {first} {'→' if one_way else '↔'} {second}"
            await asyncio.sleep(OUTAGE)
        finally:
            await _healed()

    return inject


@asynccontextmanager
async def _everything(scene: Scene, trial: int) -> AsyncIterator[str]:
    first, second = scene.cluster(trial), scene.cluster(trial + 1)
    await asyncio.to_thread(commands.cut, first, second, places.lab())
    try:
        yield f"{first} ↔ {second}, for {OUTAGE:g} s"
        await asyncio.sleep(OUTAGE)
    finally:
        await _healed()


async def _healed() -> None:
    await asyncio.to_thread(commands.heal, name=places.lab())


@asynccontextmanager
async def _cordon(scene: Scene, trial: int) -> AsyncIterator[str]:
    """Let no new pod come to a node, and allow it again."""
    cluster = scene.cluster(trial)
    node = scene.stage.cluster(cluster).nodes[-1].name
    await _schedulable(scene, cluster, node, is_so=False)
    try:
        yield node
        await asyncio.sleep(HOLD)
    finally:
        await _schedulable(scene, cluster, node, is_so=True)


@asynccontextmanager
async def _drain(scene: Scene, trial: int) -> AsyncIterator[str]:
    """Do what `kubectl drain` does with what KubeSlice runs on a node: cordon it, delete all but DaemonSets' pods.

    Afterwards gateways and routers are spread again, as somebody would do who restarts them.
    """
    cluster = scene.cluster(trial)
    node = scene.stage.cluster(cluster).nodes[-1].name
    api = scene.stage.apis[cluster]
    async with _cordon(scene, trial):
        listing = await api.list(PODS, names.WORKER_NAMESPACE, fields=f"spec.nodeName={node}")
        moved = [objects.name(pod) for pod in listing.items if not _is_of_daemonset(pod)]
        if not any("gateway" in pod for pod in moved):
            raise NotMeasured(f"no gateway runs on {node}")
        for pod in moved:
            await api.delete(PODS, pod, names.WORKER_NAMESPACE)
        yield f"{node} with {len(moved)} pods"
        await asyncio.sleep(OUTAGE)
    await scene.recovered()
    for kind in (names.GATEWAY_POD, names.ROUTER_POD):
        await _spread(scene, cluster, kind)


async def _spread(scene: Scene, cluster: str, kind: str) -> None:
    pods = await scene.pods(cluster, kind)
    if len({pod["spec"]["nodeName"] for pod in pods}) < min(len(pods), 2):
        await scene.stage.apis[cluster].delete(PODS, objects.name(pods[0]), names.WORKER_NAMESPACE)
        await asyncio.sleep(HOLD)


def _is_of_daemonset(pod: Object) -> bool:
    return any(owner["kind"] == "DaemonSet" for owner in pod["metadata"].get("ownerReferences") or [])


async def _schedulable(scene: Scene, cluster: str, node: str, *, is_so: bool) -> None:
    await scene.stage.apis[cluster].patch(NODES, node, None, {"spec": {"unschedulable": None if is_so else True}})
