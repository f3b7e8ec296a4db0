"""What the environment tells the slice operator; read once by `worker.main`."""

from dataclasses import dataclass
from pathlib import Path

from kubeslice import __version__
from kubeslice.model import names
from kubeslice.plan.workloads import Build
from kubeslice.runtime import settings


@dataclass(frozen=True)
class Settings:
    """The operator's settings. `hub_namespace` is this cluster's own namespace on the hub."""

    cluster: str
    hub_namespace: str
    project_namespace: str
    identity: str
    pod_namespace: str
    hub_credentials: Path
    health_port: int
    build: Build


def read() -> Settings:
    """Read the environment. Raises `MissingSetting`."""
    return Settings(
        cluster=settings.required("CLUSTER_NAME"),
        hub_namespace=settings.required("HUB_NAMESPACE"),
        project_namespace=settings.required("HUB_PROJECT_NAMESPACE"),
        identity=settings.required("POD_NAME"),
        pod_namespace=settings.optional("POD_NAMESPACE", names.WORKER_NAMESPACE),
        hub_credentials=Path(settings.optional("HUB_CREDENTIALS", names.HUB_CREDENTIALS_DIRECTORY)),
        health_port=settings.port("HEALTH_PORT", 8081),
        build=Build(
            image=settings.optional("IMAGE", f"{names.IMAGE_REPOSITORY}:{__version__}"),
            pull_policy=settings.optional("IMAGE_PULL_POLICY", "IfNotPresent"),
            privileged_gateways=settings.optional("GATEWAY_PRIVILEGED", "true") == "true",
        ),
    )
