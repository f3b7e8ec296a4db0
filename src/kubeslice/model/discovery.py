"""Endpoints and ports of an exported service on their way through the hub, shared by export and import."""

from pydantic import Field

from kubeslice.model.base import KubeModel


class ServiceDiscoveryEndpoint(KubeModel):
    """One pod behind an exported service."""

    pod_name: str = Field(default="", description="Name of the pod.")
    cluster: str = Field(default="", description="Cluster the pod runs in.")
    nsm_ip: str = Field(default="", description="The pod's address in the slice.")
    dns_name: str = Field(default="", description="Name of this pod in the slice's zone.")
    port: int | None = Field(default=None, description="First exported port of the pod.", ge=0, le=65535)


class ServiceDiscoveryPort(KubeModel):
    """One port of an exported service."""

    name: str = Field(default="", description="Name of the port, unique in the service.")
    protocol: str = Field(default="", description="TCP, UDP or SCTP.")
    port: int | None = Field(default=None, description="Port the pods listen on.", ge=0, le=65535)
    service_port: int | None = Field(default=None, description="Port the service is offered on.", ge=0, le=65535)
    service_protocol: str = Field(default="", description="Protocol above TCP: HTTP or HTTPS.")
