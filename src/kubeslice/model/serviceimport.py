"""ServiceImport: a service of a slice inside one worker cluster. Written by the worker operator, read by DNS."""

from typing import ClassVar

from pydantic import Field

from kubeslice.model.base import AGE_COLUMN, MESSAGE_COLUMN, REASON_COLUMN, Column, Kind, KubeModel, Status
from kubeslice.model.resources import SERVICEIMPORTS
from kubeslice.model.serviceports import ServicePort


class ServiceImportSpec(KubeModel):
    """Which service it is."""

    slice: str = Field(description="Slice the service is offered on.", min_length=1, max_length=63)
    dns_name: str = Field(description="Name of the service in the slice's zone.", min_length=1, max_length=253)
    ports: list[ServicePort] = Field(description="Ports of the service.", max_length=64)
    aliases: list[str] = Field(default_factory=list, description="Further names of the service.", max_length=64)


class ImportedEndpoint(KubeModel):
    """A pod behind the service, in any cluster."""

    name: str = Field(default="", description="Name of the pod.")
    ip: str = Field(description="Address of the pod in the slice.")
    port: int = Field(description="First port of the pod.", ge=0, le=65535)
    cluster_id: str = Field(description="Cluster the pod runs in.")
    dns_name: str = Field(description="Name of this pod in the slice's zone.")


class ServiceImportStatus(Status):
    """What is known about the service."""

    import_status: str = Field(default="", description="State: READY, PENDING or ERROR.")
    available_endpoints: int | None = Field(default=None, description="Number of pods behind the service.")
    endpoints: list[ImportedEndpoint] = Field(default_factory=list, description="Pods behind the service.")
    exposed_ports: str = Field(default="", description="Ports of the service, for people.")
    last_sync: int | None = Field(default=None, description="When the hub was last heard, Unix seconds.")
    updated_on: int | None = Field(default=None, description="When the endpoints last changed, Unix seconds.")


class ServiceImport(Kind):
    """A service that some cluster offers on a slice, as this cluster knows it."""

    resource = SERVICEIMPORTS
    short_names: ClassVar[tuple[str, ...]] = ("svcim",)
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Slice", ".spec.slice"),
        Column("Port(s)", ".status.exposedPorts"),
        Column("Endpoints", ".status.availableEndpoints", type="integer"),
        Column("Status", ".status.importStatus"),
        Column("Alias", ".spec.aliases", priority=1),
        REASON_COLUMN,
        MESSAGE_COLUMN,
        AGE_COLUMN,
    )

    spec: ServiceImportSpec = Field(description="Which service it is.")
    status: ServiceImportStatus = Field(default_factory=ServiceImportStatus, description="What is known about it.")
