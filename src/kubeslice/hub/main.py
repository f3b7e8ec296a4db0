"""The hub process: `kubeslice run hub`."""

import gc

from kubeslice.hub.hub import Hub, Settings
from kubeslice.hub.metrics import HubMetrics
from kubeslice.kube.config import in_cluster
from kubeslice.kube.http import HttpApi
from kubeslice.kube.lease import HUB_DURATION, SHORTEST
from kubeslice.model import names
from kubeslice.plan.tenants.credentials import DEFAULT_SECONDS, SHORTEST_SECONDS
from kubeslice.runtime import app, settings
from kubeslice.runtime.app import App
from kubeslice.runtime.clock import SystemClock

# What the hub keeps are trees, which need no search for cycles; looking through them took a fifth of its time.
COLLECT_AFTER = (100_000, 20, 50)


def main() -> int:
    """Run the hub until a signal; return the exit status."""
    return app.start("hub", _build)


def _build() -> App:
    connection = in_cluster()
    chosen = Settings(
        identity=settings.optional("POD_NAME", "hub"),
        endpoint=settings.optional("CONTROLLER_ENDPOINT", f"https://{connection.authority}"),
        namespace=settings.optional("POD_NAMESPACE", names.HUB_NAMESPACE),
        term=settings.seconds("LEASE_SECONDS", HUB_DURATION, least=SHORTEST),
        credential_seconds=settings.whole("WORKER_CREDENTIAL_SECONDS", DEFAULT_SECONDS, least=SHORTEST_SECONDS),
    )
    return build(chosen, HttpApi(connection, "kubeslice-hub"), settings.port("HEALTH_PORT", 8081))


def build(chosen: Settings, api: HttpApi, port: int) -> App:
    """Put the process together; it closes `api` at its end."""
    gc.set_threshold(*COLLECT_AFTER)
    process = App("hub", port)
    hub = Hub(api, chosen, SystemClock(), process.metrics, HubMetrics(process.registry))
    process.cleanup(api.close)
    process.add("hub", hub.run)
    process.ready(lambda: hub.is_ready)
    return process
