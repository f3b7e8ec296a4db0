"""ServiceExport: a user's wish to offer a service on a slice. Read by the worker operator, which reports here."""

from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from kubeslice.model.base import AGE_COLUMN, MESSAGE_COLUMN, REASON_COLUMN, Column, Kind, KubeModel, Rule, Status, rules
from kubeslice.model.resources import SERVICEEXPORTS
from kubeslice.model.serviceports import ServicePort


class LabelRequirement(KubeModel):
    """One expression of a label selector."""

    key: str = Field(description="Label the expression is about.", max_length=317)
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"] = Field(description="How values are compared.")
    values: list[str] = Field(default_factory=list, description="Values of In and NotIn.")


class LabelSelector(KubeModel):
    """Labels that choose pods; all of it must match."""

    match_labels: dict[str, str] = Field(default_factory=dict, description="Labels with exactly these values.")
    match_expressions: list[LabelRequirement] = Field(default_factory=list, description="Further conditions.")


class ServiceExportSpec(KubeModel):
    """What to offer on a slice."""

    slice: str = Field(description="Slice to offer the service on.", min_length=1, max_length=63)
    selector: LabelSelector = Field(description="Pods behind the service, in this namespace.")
    ports: list[ServicePort] = Field(description="Ports of the service.", min_length=1, max_length=64)
    ingress_enabled: bool = Field(default=False, description="Whether traffic goes through the slice's HTTP gateway.")
    aliases: list[str] = Field(
        default_factory=list, description="Further names of the service, unique on the slice.", max_length=64
    )


class ExportedPod(KubeModel):
    """A pod behind the exported service."""

    name: str = Field(description="Name of the pod.")
    dns_name: str = Field(description="Name of this pod in the slice's zone.")
    pod_ip: str = Field(default="", description="Address of the pod in its cluster.")
    nsm_ip: str = Field(default="", description="Address of the pod in the slice.")


class IngressGatewayPod(KubeModel):
    """The HTTP gateway in front of the exported service."""

    name: str = Field(description="Name of the pod.")
    nsm_ip: str = Field(default="", description="Address of the pod in the slice.")


class ServiceExportStatus(Status):
    """What is offered."""

    dns_name: str = Field(default="", description="Name of the service in the slice's zone.")
    export_status: Literal["PENDING", "READY", "ERROR"] | None = Field(default=None, description="State.")
    available_endpoints: int | None = Field(default=None, description="Number of pods behind the service.")
    pods: list[ExportedPod] = Field(default_factory=list, description="Pods behind the service.")
    exposed_ports: str = Field(default="", description="Ports the pods listen on, for people.")
    service_ports: str = Field(default="", description="Ports the service is offered on, for people.")
    aliases: list[str] = Field(default_factory=list, description="Further names in force.")
    ingress_gw_enabled: bool = Field(default=False, description="Whether an HTTP gateway is in front.")
    ingress_gw_pod: IngressGatewayPod | None = Field(default=None, description="The HTTP gateway in front.")
    last_sync: int | None = Field(default=None, description="When the hub was last told, Unix seconds.")


class ServiceExport(Kind):
    """A service that this cluster offers to every cluster of a slice."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= 63",
                "the name is the service's name in DNS: choose one of at most 63 lower-case letters, digits and '-'",
            )
        )
    )
    resource = SERVICEEXPORTS
    short_names: ClassVar[tuple[str, ...]] = ("svcex",)
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Slice", ".spec.slice"),
        Column("Ingress", ".spec.ingressEnabled", type="boolean", priority=1),
        Column("ServicePort(s)", ".status.servicePorts", priority=1),
        Column("Port(s)", ".status.exposedPorts"),
        Column("Endpoints", ".status.availableEndpoints", type="integer"),
        Column("Status", ".status.exportStatus"),
        Column("Alias", ".spec.aliases", priority=1),
        REASON_COLUMN,
        MESSAGE_COLUMN,
        AGE_COLUMN,
    )

    spec: ServiceExportSpec = Field(description="What to offer.")
    status: ServiceExportStatus = Field(default_factory=ServiceExportStatus, description="What is offered.")
