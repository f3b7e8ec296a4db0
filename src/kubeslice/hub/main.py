"""The hub process: `kubeslice run hub`."""

from kubeslice.hub.hub import Hub, Settings
from kubeslice.hub.metrics import HubMetrics
from kubeslice.kube.config import in_cluster
from kubeslice.kube.http import HttpApi
from kubeslice.model import names
from kubeslice.runtime import app, settings
from kubeslice.runtime.app import App
from kubeslice.runtime.clock import SystemClock


def main() -> int:
    """Run the hub until a signal; return the exit status."""
    return app.start("hub", _build)


def _build() -> App:
    process = App("hub", settings.port("HEALTH_PORT", 8081))
    connection = in_cluster()
    api = HttpApi(connection, "kubeslice-hub")
    hub = Hub(
        api,
        Settings(
            identity=settings.optional("POD_NAME", "hub"),
            endpoint=settings.optional("CONTROLLER_ENDPOINT", f"https://{connection.authority}"),
            namespace=settings.optional("POD_NAMESPACE", names.HUB_NAMESPACE),
        ),
        SystemClock(),
        process.metrics,
        HubMetrics(process.registry),
    )
    process.cleanup(api.close)
    process.add("hub", hub.run)
    process.ready(lambda: hub.is_ready)
    return process
