"""The agent's process: informers, three controllers, and nothing it must remember.

Environment: NODE_NAME; NETNS_DIRECTORY (default /run/netns, shared with the host); HEALTH_PORT.
"""

from dataclasses import dataclass
from pathlib import Path

from kubeslice.agent import pods
from kubeslice.agent.node import NodeReconciler
from kubeslice.agent.pods import PodReconciler
from kubeslice.agent.segments import SegmentReconciler
from kubeslice.agent.view import View, key_of, machine, slice_keys_of, station
from kubeslice.kube import config
from kubeslice.kube.api import Api, Object
from kubeslice.kube.events import Recorder
from kubeslice.kube.http import HttpApi
from kubeslice.kube.informer import Informer
from kubeslice.linux import capabilities
from kubeslice.model import names
from kubeslice.model.ids import OWN, Key
from kubeslice.model.resources import NAMESPACES, NODES, PODS, SLICES
from kubeslice.runtime import settings
from kubeslice.runtime.app import App, start
from kubeslice.runtime.controller import Controller
from kubeslice.runtime.sources import Source, existence, intent

HEALTH_PORT = 9479  # on the node itself: the agent has no network namespace of its own
POD_WORKERS = 16


@dataclass(frozen=True)
class Settings:
    """What the manifests tell the agent."""

    node: str
    namespaces: Path
    health_port: int


def read_settings() -> Settings:
    """Read the environment. Raises `MissingSetting`."""
    return Settings(
        node=settings.required("NODE_NAME"),
        namespaces=Path(settings.optional("NETNS_DIRECTORY", "/run/netns")),
        health_port=settings.port("HEALTH_PORT", HEALTH_PORT),
    )


def build(own: Settings, api: Api, engine: str) -> App:
    """Put the agent of one node together."""
    app = App("agent", own.health_port)
    view = View(
        node=own.node,
        slices=Informer(api, SLICES, names.WORKER_NAMESPACE),
        local=Informer(api, PODS, fields=f"spec.nodeName={own.node}"),
        members=Informer(api, PODS, labels=names.SLICE_LABEL),
        nodes=Informer(api, NODES),
        namespaces=Informer(api, NAMESPACES),
    )
    node_key = Key(OWN, "", own.node)
    segment_reconciler = SegmentReconciler(view, own.namespaces)
    pod_reconciler = PodReconciler(api, view, segment_reconciler.live, Recorder(api, "kubeslice-agent"))

    def every_slice(_: Object) -> list[Key]:
        return view.slice_keys()

    def own_node(_: Object) -> list[Key]:
        return [node_key]

    segment_controller = Controller(
        "segments",
        segment_reconciler,
        [
            Source(view.slices, lambda obj: [key_of(obj)], intent),
            Source(view.members, slice_keys_of, station),
            Source(view.local, lambda _: ()),
            Source(view.namespaces, lambda _: ()),
            Source(view.nodes, every_slice, machine),
        ],
        metrics=app.metrics,
    )
    pod_controller = Controller(
        "pods",
        pod_reconciler,
        [
            Source(view.local, pods.keys_of),
            Source(view.namespaces, lambda obj: view.local_keys(key_of(obj).name)),
            Source(view.slices, lambda _: ()),
        ],
        concurrency=POD_WORKERS,
        metrics=app.metrics,
    )
    node_controller = Controller(
        "node",
        NodeReconciler(api, view, engine),
        [Source(view.nodes, own_node, machine), Source(view.slices, own_node, existence)],
        concurrency=1,
        metrics=app.metrics,
    )
    segment_reconciler.wake_with(segment_controller.enqueue, pod_controller.enqueue)
    pod_reconciler.wake_with(pod_controller.enqueue)

    async def sweep() -> None:
        await view.slices.synced.wait()
        await segment_reconciler.sweep()

    async def let_go() -> None:
        pod_reconciler.close()
        segment_reconciler.close()

    informers = (view.slices, view.local, view.members, view.nodes, view.namespaces)
    for number, informer in enumerate(informers):
        app.add(f"informer-{number}-{informer.resource.plural}", informer.run)
    app.add("sweep", sweep)
    for controller in (segment_controller, pod_controller, node_controller):
        app.add(controller.name, controller.run)
    app.cleanup(let_go)
    app.ready(lambda: all(informer.synced.is_set() for informer in informers))
    return app


def main() -> int:
    """Run the agent; return the exit status."""

    def make() -> App:
        own = read_settings()
        return build(own, HttpApi(config.in_cluster()), capabilities.probe().engine)

    return start("agent", make)
