"""What is installed on the hub cluster."""

from dataclasses import dataclass

from kubeslice.kube.lease import HUB_DURATION
from kubeslice.manifests import hubbounds, pods
from kubeslice.manifests.hubaccess import HUB, HUB_WEBHOOK
from kubeslice.manifests.objects import Object, namespace
from kubeslice.manifests.pods import TEMPORARY, Component, Image
from kubeslice.model import names
from kubeslice.model.crd import crd
from kubeslice.model.kinds import HUB_KINDS
from kubeslice.plan.tenants.credentials import DEFAULT_SECONDS

WEBHOOK_PORT = 9443


@dataclass(frozen=True)
class HubValues:
    """What differs between hubs.

    `controller_endpoint` is the URL at which workers reach this cluster's API server, `credential_seconds` how long
    the tokens live that workers get for themselves there. One of the `replicas` leads, the others stand by; the lease
    counts `lease_seconds`.
    """

    controller_endpoint: str
    image: Image
    replicas: int = 2
    webhook_replicas: int = 1
    credential_seconds: int = DEFAULT_SECONDS
    lease_seconds: float = HUB_DURATION


def hub(values: HubValues) -> list[Object]:
    """Return the manifests of a hub, in the order in which they can be applied."""
    controller, webhook = _controller(values), _webhook()
    return [
        namespace(names.HUB_NAMESPACE),
        *(crd(kind) for kind in HUB_KINDS),
        *HUB.objects(controller.name),
        *hubbounds.objects(values.credential_seconds, controller.name),
        *HUB_WEBHOOK.objects(webhook.name),
        pods.service(webhook, [("webhook", 443, WEBHOOK_PORT, "TCP")]),
        pods.deployment(controller, values.image, values.replicas),
        *([pods.budget(controller)] if values.replicas > 1 else []),
        pods.deployment(webhook, values.image, values.webhook_replicas),
    ]


def _controller(values: HubValues) -> Component:
    return Component(
        name="kubeslice-hub",
        namespace=names.HUB_NAMESPACE,
        account=HUB.name,
        run="hub",
        environment={
            "CONTROLLER_ENDPOINT": values.controller_endpoint,
            "LEASE_SECONDS": f"{values.lease_seconds:g}",
            "WORKER_CREDENTIAL_SECONDS": str(values.credential_seconds),
        },
        memory="128Mi",
        memory_limit="1Gi",
        pod=pods.apart("kubeslice-hub"),
    )


def _webhook() -> Component:
    return Component(
        name=names.WEBHOOK_SERVICE,
        namespace=names.HUB_NAMESPACE,
        account=HUB_WEBHOOK.name,
        run="webhook",
        environment={
            "WEBHOOK_ROLE": "hub",
            "WEBHOOK_PORT": str(WEBHOOK_PORT),
        },
        ports=[("webhook", WEBHOOK_PORT, "TCP")],
        mounts=[TEMPORARY],
    )
