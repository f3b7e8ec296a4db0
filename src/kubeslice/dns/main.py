"""KubeSlice DNS as a process: follows ServiceImports and keeps a name server beside itself current."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from kubeslice.dns.metrics import DnsMetrics
from kubeslice.dns.publisher import Publisher
from kubeslice.dns.server import NameServer
from kubeslice.kube import config
from kubeslice.kube.http import HttpApi
from kubeslice.kube.informer import Informer
from kubeslice.model.resources import SERVICEIMPORTS
from kubeslice.plan.services import knot
from kubeslice.runtime import settings
from kubeslice.runtime.app import App, start

COMPONENT = "dns"


@dataclass(frozen=True)
class Settings:
    """What the environment says."""

    pod_address: str
    dns_port: int
    health_port: int


def read_settings() -> Settings:
    """Read the environment. Raises `MissingSetting`."""
    return Settings(
        pod_address=settings.required("POD_IP"),
        dns_port=settings.port("DNS_PORT", 53),
        health_port=settings.port("HEALTH_PORT", 8081),
    )


def build(chosen: Settings, directory: Path, api: HttpApi) -> App:
    """Put the process together; the name server's files go into `directory`."""
    app = App(COMPONENT, chosen.health_port)
    imports = Informer(api, SERVICEIMPORTS)
    listen = (f"0.0.0.0@{chosen.dns_port}",)
    server = NameServer(knot.Server(directory, listen), chosen.pod_address, DnsMetrics(app.registry))
    app.add("imports", imports.run)
    app.add("publisher", Publisher(imports, server).run)
    app.add("server", server.run)
    app.ready(lambda: server.is_serving)
    app.cleanup(api.close)
    return app


def main() -> int:
    """Run until a signal; return the exit status."""
    with tempfile.TemporaryDirectory(prefix="kubeslice-dns-") as directory:
        return start(COMPONENT, lambda: build(read_settings(), Path(directory), HttpApi(config.in_cluster())))
