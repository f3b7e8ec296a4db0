"""The router's process. Environment: SLICE, ROUTER (its number, 0 or 1); HEALTH_PORT."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from kubeslice.kube import config
from kubeslice.kube.api import Api, Object
from kubeslice.kube.http import HttpApi
from kubeslice.kube.informer import Informer
from kubeslice.linux import waker
from kubeslice.model import names
from kubeslice.model.ids import OWN, Key
from kubeslice.model.resources import SLICEGATEWAYS, SLICES
from kubeslice.router import leaving
from kubeslice.router.daemons import Bird, Keepalived
from kubeslice.router.metrics import RouterMetrics
from kubeslice.router.routing import RouterReconciler
from kubeslice.router.watch import Watch
from kubeslice.runtime import settings
from kubeslice.runtime.app import App, start
from kubeslice.runtime.controller import Controller
from kubeslice.runtime.sources import Source, intent

HEALTH_PORT = 8081


@dataclass(frozen=True)
class Settings:
    """What the manifests tell a router."""

    slice: str
    number: int
    health_port: int


def read_settings() -> Settings:
    """Read the environment. Raises `MissingSetting`."""
    return Settings(
        slice=settings.required("SLICE"),
        number=int(settings.optional("ROUTER", "0")),
        health_port=settings.port("HEALTH_PORT", HEALTH_PORT),
    )


def build(own: Settings, api: Api, directory: Path) -> App:
    """Put a router together; the files of its programs are in `directory`."""
    app = App("router", own.health_port)
    key = Key(OWN, names.WORKER_NAMESPACE, own.slice)
    slices = Informer(api, SLICES, names.WORKER_NAMESPACE, fields=f"metadata.name={own.slice}")
    gateways = Informer(api, SLICEGATEWAYS, names.WORKER_NAMESPACE, labels=f"{names.SLICE_LABEL}={own.slice}")
    bird, keepalived = Bird(directory), Keepalived(directory)
    reconciler = RouterReconciler(slices, gateways, own.number, bird, keepalived)

    def own_slice(_: Object) -> list[Key]:
        return [key]

    sources = [Source(slices, own_slice, intent), Source(gateways, own_slice, intent)]
    controller = Controller("router", reconciler, sources, concurrency=1, metrics=app.metrics)

    async def listen() -> None:
        await waker.follow(waker.LINKS, lambda: controller.enqueue(key))

    app.add("informer-slices", slices.run)
    app.add("informer-slicegateways", gateways.run)
    app.add("netlink", listen)
    app.add("router", controller.run)
    app.add("bird", bird.run)
    app.add("keepalived", keepalived.run)
    app.add("watch", Watch(RouterMetrics(app.registry), bird, keepalived, reconciler).run)
    app.ready(lambda: bird.program.is_running and keepalived.program.is_running)
    app.leave(lambda: leaving.leave(bird, keepalived), leaving.TIMEOUT)
    return app


def main() -> int:
    """Run a router; return the exit status."""
    with tempfile.TemporaryDirectory(prefix="kubeslice-router-") as directory:
        return start("router", lambda: build(read_settings(), HttpApi(config.in_cluster()), Path(directory)))
