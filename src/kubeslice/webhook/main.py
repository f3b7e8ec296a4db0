"""The webhook process: `kubeslice run webhook`, for the hub or for a worker as WEBHOOK_ROLE says."""

from typing import cast

from kubeslice.kube.api import Api
from kubeslice.kube.config import in_cluster
from kubeslice.kube.http import HttpApi
from kubeslice.model import names
from kubeslice.runtime import app, settings
from kubeslice.runtime.app import App
from kubeslice.runtime.clock import SystemClock
from kubeslice.runtime.settings import MissingSetting
from kubeslice.webhook.configurations import Role
from kubeslice.webhook.hubcheck import HubCheck
from kubeslice.webhook.publication import Publication
from kubeslice.webhook.server import Reviews, TlsServer
from kubeslice.webhook.workercheck import WorkerCheck

PORT = 9443


def main() -> int:
    """Run the webhook until a signal; return the exit status."""
    return app.start("webhook", _build)


def _build() -> App:
    role = _role(settings.required("WEBHOOK_ROLE"))
    process = App("webhook", settings.port("HEALTH_PORT", 8081))
    api = HttpApi(in_cluster(), names.WEBHOOK_MANAGER)
    check = _check(role, api)
    namespace = settings.optional("POD_NAMESPACE", names.HUB_NAMESPACE if role == "hub" else names.WORKER_NAMESPACE)
    publication = Publication(api, role, namespace, SystemClock())
    application = Reviews(process.registry).application(check.mutate, check.validate)
    server = TlsServer(application, settings.port("WEBHOOK_PORT", PORT), publication.tls)

    async def serve() -> None:
        await publication.has_identity.wait()
        await server.run_until_cancelled()

    process.cleanup(api.close)
    process.add("check", check.run)
    process.add("publication", publication.run)
    process.add("server", serve)
    process.ready(lambda: server.started and check.is_synced)
    return process


def _check(role: Role, api: Api) -> HubCheck | WorkerCheck:
    if role == "worker":
        return WorkerCheck(api, settings.required("IMAGE"))
    return HubCheck(api)


def _role(text: str) -> Role:
    if text not in {"hub", "worker"}:
        raise MissingSetting(f"WEBHOOK_ROLE={text!r} is not a role: write hub or worker")
    return cast("Role", text)
