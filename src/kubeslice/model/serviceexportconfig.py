"""ServiceExportConfig: a service one cluster exports, on the hub. Written by workers, read by `hub.service_export`."""

from typing import ClassVar

from pydantic import Field

from kubeslice.model.base import AGE_COLUMN, Column, Kind, KubeModel, Status
from kubeslice.model.discovery import ServiceDiscoveryEndpoint, ServiceDiscoveryPort
from kubeslice.model.resources import SERVICEEXPORTCONFIGS


class ServiceExportConfigSpec(KubeModel):
    """What one cluster exports under one service name."""

    service_name: str = Field(description="Name of the service.", max_length=63)
    service_namespace: str = Field(default="", description="Namespace of the service.", max_length=63)
    source_cluster: str = Field(description="Cluster that exports.", max_length=63)
    slice_name: str = Field(description="Slice the service is exported on.", max_length=63)
    service_discovery_endpoints: list[ServiceDiscoveryEndpoint] = Field(
        default_factory=list, description="Pods behind the service in this cluster."
    )
    service_discovery_ports: list[ServiceDiscoveryPort] = Field(
        default_factory=list, description="Ports of the service."
    )
    aliases: list[str] = Field(default_factory=list, description="Further names of the service.")


class ServiceExportConfig(Kind):
    """A service that one cluster exports on a slice."""

    resource = SERVICEEXPORTCONFIGS
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Service", ".spec.serviceName"),
        Column("Namespace", ".spec.serviceNamespace"),
        Column("Slice", ".spec.sliceName"),
        Column("Cluster", ".spec.sourceCluster"),
        Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
        Column("Message", '.status.conditions[?(@.type=="Ready")].message', priority=1),
        AGE_COLUMN,
    )

    spec: ServiceExportConfigSpec = Field(description="What is exported.")
    status: Status = Field(default_factory=Status, description="What the hub says about the export.")
