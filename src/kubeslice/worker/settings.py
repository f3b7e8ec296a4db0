"""What the environment tells the slice operator; read once by `worker.main`."""

from dataclasses import dataclass
from pathlib import Path

from kubeslice import __version__
from kubeslice.model import names
from kubeslice.plan.cluster.workloads import Build
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.runtime import settings


@dataclass(frozen=True)
class Settings:
    """The operator's settings. `member` is the cluster in the project that it joined first."""

    member: Member
    identity: str
    pod_namespace: str
    hub_credentials: Path
    health_port: int
    keep_forgotten: float  # seconds
    build: Build


def read() -> Settings:
    """Read the environment. Raises `MissingSetting`."""
    return Settings(
        member=Member(names.project_of(settings.required("HUB_PROJECT_NAMESPACE")), settings.required("CLUSTER_NAME")),
        identity=settings.required("POD_NAME"),
        pod_namespace=settings.optional("POD_NAMESPACE", names.WORKER_NAMESPACE),
        hub_credentials=Path(settings.optional("HUB_CREDENTIALS", names.HUB_CREDENTIALS_DIRECTORY)),
        keep_forgotten=float(settings.optional("KEEP_FORGOTTEN_SECONDS", "3600")),
        health_port=settings.port("HEALTH_PORT", 8081),
        build=Build(
            image=settings.optional("IMAGE", f"{names.IMAGE_REPOSITORY}:{__version__}"),
            pull_policy=settings.optional("IMAGE_PULL_POLICY", "IfNotPresent"),
            privileged_gateways=settings.optional("GATEWAY_PRIVILEGED", "true") == "true",
        ),
    )
