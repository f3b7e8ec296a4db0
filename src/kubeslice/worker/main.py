"""The slice operator as a process: its own API server and hubs, one lease, one operator while it holds the lease."""

from dataclasses import replace

from kubeslice.kube import config
from kubeslice.kube.http import HttpApi
from kubeslice.kube.lease import Leader
from kubeslice.model import names
from kubeslice.plan.cluster.localnames import LocalNames
from kubeslice.runtime.app import App, start
from kubeslice.worker import settings
from kubeslice.worker.enrollment import Enrollment
from kubeslice.worker.hubtoken import HubToken
from kubeslice.worker.operator import Operator
from kubeslice.worker.settings import Settings

COMPONENT = "worker"
LEASE = "kubeslice-worker"


def build(chosen: Settings) -> App:
    """Put the process together."""
    app = App(COMPONENT, chosen.health_port)
    own = HttpApi(config.in_cluster(), names.WORKER_MANAGER)
    token = HubToken.mounted(chosen.hub_credentials)
    hub = HttpApi(replace(config.from_directory(chosen.hub_credentials), token=token), names.WORKER_MANAGER)
    first = Enrollment(chosen.member, hub, token, LocalNames(chosen.member.project))
    operator = Operator(own, first, chosen, app.metrics, app.registry)
    leader = Leader(own, LEASE, chosen.pod_namespace, chosen.identity)
    app.add("leader", lambda: leader.run(operator.run))
    app.cleanup(own.close)
    app.cleanup(hub.close)
    return app


def main() -> int:
    """Run until a signal; return the exit status."""
    return start(COMPONENT, lambda: build(settings.read()))
