"""The gateway's process. Environment: SLICE, PLANE, POD_NAME; WIREGUARD_ENGINE (kernel, userspace); HEALTH_PORT."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from kubeslice.gateway import engine
from kubeslice.gateway.report import Author, Metrics, Reporter
from kubeslice.gateway.tunnels import GatewayReconciler, Prober, slice_key
from kubeslice.kube import config
from kubeslice.kube.api import Api, Object
from kubeslice.kube.http import HttpApi
from kubeslice.kube.informer import Informer
from kubeslice.linux import waker
from kubeslice.model import names
from kubeslice.model.ids import Key
from kubeslice.model.resources import SLICEGATEWAYS, SLICES
from kubeslice.runtime import settings
from kubeslice.runtime.app import App, start
from kubeslice.runtime.controller import Controller
from kubeslice.runtime.sources import Source, intent

HEALTH_PORT = 8081
GROUPS = waker.LINKS | waker.ADDRESSES | waker.ROUTES


@dataclass(frozen=True)
class Settings:
    """What the manifests tell a gateway."""

    slice: str
    plane: int
    pod: str
    engine: str
    keys: Path
    health_port: int


def read_settings() -> Settings:
    """Read the environment. Raises `MissingSetting`."""
    return Settings(
        slice=settings.required("SLICE"),
        plane=int(settings.required("PLANE")),
        pod=settings.optional("POD_NAME"),
        engine=settings.optional("WIREGUARD_ENGINE"),
        keys=Path(settings.optional("WIREGUARD_KEYS", names.GATEWAY_KEYS_DIRECTORY)),
        health_port=settings.port("HEALTH_PORT", HEALTH_PORT),
    )


def build(own: Settings, api: Api) -> App:
    """Put the gateway of one plane together."""
    app = App("gateway", own.health_port)
    key = slice_key(own.slice)
    slices = Informer(api, SLICES, names.WORKER_NAMESPACE, fields=f"metadata.name={own.slice}")
    gateways = Informer(api, SLICEGATEWAYS, names.WORKER_NAMESPACE, labels=f"{names.SLICE_LABEL}={own.slice}")
    carrier = engine.choose(own.engine, started=lambda: controller.enqueue(key))
    news = asyncio.Event()
    prober = Prober(changed=news.set)
    author = Author(own.pod, own.plane, carrier.description)
    reporter = Reporter(api, prober, author, Metrics(app.registry), news)
    gateways.subscribe(reporter.look)
    reconciler = GatewayReconciler(slices, gateways, own.plane, carrier, own.keys, prober)

    def own_slice(_: Object) -> list[Key]:
        return [key]

    sources = [Source(slices, own_slice, intent), Source(gateways, own_slice, intent)]
    controller = Controller("gateway", reconciler, sources, concurrency=1, metrics=app.metrics)

    async def listen() -> None:
        await waker.follow(GROUPS, lambda: controller.enqueue(key))

    async def let_go() -> None:
        prober.close()

    app.add("informer-slices", slices.run)
    app.add("informer-slicegateways", gateways.run)
    if carrier.program is not None:
        app.add("engine", carrier.program.run)
    app.add("netlink", listen)
    app.add("gateway", controller.run)
    app.add("probe", lambda: reconciler.probe(key))
    app.add("report", reporter.run)
    app.cleanup(let_go)
    app.ready(lambda: reconciler.is_configured)
    return app


def main() -> int:
    """Run a gateway; return the exit status."""
    return start("gateway", lambda: build(read_settings(), HttpApi(config.in_cluster())))
