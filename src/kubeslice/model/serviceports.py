"""Ports of a service that is exported or imported, as users of the worker cluster write and read them."""

from typing import Literal

from pydantic import Field

from kubeslice.model.base import KubeModel


class ServicePort(KubeModel):
    """One port of a service."""

    name: str = Field(default="", description="Name of the port, unique in the service.", max_length=63)
    container_port: int = Field(description="Port the pods listen on.", ge=1, le=65535)
    protocol: str = Field(default="", description="TCP, UDP or SCTP; TCP where nothing is said.", max_length=8)
    service_port: int | None = Field(default=None, description="Port the service is offered on.", ge=0, le=65535)
    service_protocol: Literal["HTTP", "HTTPS"] = Field(default="HTTP", description="Protocol above TCP.")
