"""The gateway's process.

Environment: SLICE, PLANE, POD_NAME; WIREGUARD_ENGINE (kernel, userspace); PATH_SEARCH_SECONDS; HEALTH_PORT.
"""

import asyncio
from dataclasses import dataclass

from kubeslice.gateway.engine import Engine
from kubeslice.gateway.pathmtu import PathProber
from kubeslice.gateway.probing import Prober
from kubeslice.gateway.report import Metrics, Pen, Reporter
from kubeslice.gateway.tunnels import GatewayReconciler, Sources, slice_key
from kubeslice.gateway.wireguard import WireGuard
from kubeslice.kube import config
from kubeslice.kube.api import Api, Object
from kubeslice.kube.http import HttpApi
from kubeslice.kube.informer import Informer
from kubeslice.linux import waker
from kubeslice.model import names
from kubeslice.model.ids import Key
from kubeslice.model.resources import SECRETS, SLICEGATEWAYS, SLICES
from kubeslice.runtime import settings
from kubeslice.runtime.app import App, start
from kubeslice.runtime.controller import Controller
from kubeslice.runtime.sources import Source, intent

HEALTH_PORT = 8081
PATH_SEARCH = 30
GROUPS = waker.LINKS | waker.ADDRESSES | waker.ROUTES
LEAVE_SECONDS = 5.0


@dataclass(frozen=True)
class Settings:
    """What the manifests tell a gateway."""

    slice: str
    plane: int
    pod: str
    engine: str
    path_search: int
    health_port: int


def read_settings() -> Settings:
    """Read the environment. Raises `MissingSetting`."""
    return Settings(
        slice=settings.required("SLICE"),
        plane=int(settings.required("PLANE")),
        pod=settings.optional("POD_NAME"),
        engine=settings.optional("WIREGUARD_ENGINE"),
        path_search=settings.whole("PATH_SEARCH_SECONDS", PATH_SEARCH, least=1),
        health_port=settings.port("HEALTH_PORT", HEALTH_PORT),
    )


def build(own: Settings, api: Api) -> App:
    """Put the gateway of one plane together."""
    app = App("gateway", own.health_port)
    key, namespace = slice_key(own.slice), names.WORKER_NAMESPACE
    secret = names.gateway_deployment(own.slice, own.plane)
    sources = Sources(
        slices=Informer(api, SLICES, namespace, fields=f"metadata.name={own.slice}"),
        gateways=Informer(api, SLICEGATEWAYS, namespace, labels=f"{names.SLICE_LABEL}={own.slice}"),
        secrets=Informer(api, SECRETS, namespace, fields=f"metadata.name={secret}"),
    )
    wireguard = WireGuard(own.engine, changed=lambda: controller.enqueue(key))
    news = asyncio.Event()

    def engine(spec: Object) -> Engine:
        if spec.get("gatewayType") == "OpenVPN":
            from kubeslice.gateway.openvpn import OpenVpn  # noqa: PLC0415 - for slices with OpenVPN only

            # Certificates name the slice as the hub and all its clusters do.
            return OpenVpn(str(spec.get("sliceName") or own.slice), own.plane)
        return wireguard

    def changed(remote: str) -> None:
        news.set()
        line = prober.lines[remote]
        if len(line.tunnels) > 1 and line.carrier != line.laid:  # the traffic has to take another generation
            controller.enqueue(key)

    def measured() -> None:
        news.set()
        controller.enqueue(key)

    prober = Prober(changed)
    paths = PathProber(prober, lambda: reconciler.scene, lambda: reporter.endpoints, measured, own.path_search)
    reconciler = GatewayReconciler(sources, own.plane, engine, prober, paths)
    reporter = Reporter(Pen(api, own.pod, own.plane), reconciler, prober, paths, Metrics(app.registry), news)
    sources.gateways.subscribe(reporter.look)

    def own_slice(_: Object) -> list[Key]:
        return [key]

    watched = [
        Source(sources.slices, own_slice, intent),
        Source(sources.gateways, own_slice, intent),
        Source(sources.secrets, own_slice),
    ]
    controller = Controller("gateway", reconciler, watched, concurrency=1, metrics=app.metrics)

    async def listen() -> None:
        await waker.follow(GROUPS, lambda: controller.enqueue(key))

    app.add("informer-slices", sources.slices.run)
    app.add("informer-slicegateways", sources.gateways.run)
    app.add("informer-secrets", sources.secrets.run)
    app.add("netlink", listen)
    app.add("gateway", controller.run)
    app.add("probe", reconciler.probe)
    app.add("paths", paths.run)
    app.add("report", reporter.run)
    app.leave(lambda: reconciler.leave(key), LEAVE_SECONDS)
    app.cleanup(reconciler.close)
    app.ready(lambda: reconciler.is_configured)
    return app


def main() -> int:
    """Run a gateway; return the exit status."""
    return start("gateway", lambda: build(read_settings(), HttpApi(config.in_cluster())))
