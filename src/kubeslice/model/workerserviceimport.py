"""WorkerServiceImport: a service for one member cluster to import. Written by the hub, read by that worker."""

from typing import ClassVar

from pydantic import Field

from kubeslice.model.base import AGE_COLUMN, Column, Kind, KubeModel, Status
from kubeslice.model.discovery import ServiceDiscoveryEndpoint, ServiceDiscoveryPort
from kubeslice.model.resources import WORKERSERVICEIMPORTS


class WorkerServiceImportSpec(KubeModel):
    """A service of the slice, merged from all clusters that export it."""

    service_name: str = Field(default="", description="Name of the service.", max_length=63)
    service_namespace: str = Field(default="", description="Namespace of the service.", max_length=63)
    source_clusters: list[str] = Field(default_factory=list, description="Clusters that export it.")
    slice_name: str = Field(default="", description="Slice the service is exported on.", max_length=63)
    service_discovery_endpoints: list[ServiceDiscoveryEndpoint] = Field(
        default_factory=list, description="Pods behind the service in all clusters."
    )
    service_discovery_ports: list[ServiceDiscoveryPort] = Field(
        default_factory=list, description="Ports of the service."
    )
    aliases: list[str] = Field(default_factory=list, description="Further names of the service.")


class WorkerServiceImport(Kind):
    """A service of a slice for one member cluster."""

    resource = WORKERSERVICEIMPORTS
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Service", ".spec.serviceName"),
        Column("Namespace", ".spec.serviceNamespace"),
        Column("Slice", ".spec.sliceName"),
        Column("Sources", ".spec.sourceClusters"),
        Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
        Column("Message", '.status.conditions[?(@.type=="Ready")].message', priority=1),
        AGE_COLUMN,
    )

    spec: WorkerServiceImportSpec = Field(default_factory=WorkerServiceImportSpec, description="What to import.")
    status: Status = Field(default_factory=Status, description="What the worker says about the import.")
