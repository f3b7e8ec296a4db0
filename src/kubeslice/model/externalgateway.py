"""Gateways for traffic that enters or leaves a slice as HTTP (Istio, Envoy), as several kinds hold them."""

from typing import Literal

from pydantic import Field

from kubeslice.model.base import KubeModel, Label


class Switch(KubeModel):
    """Something that is on or off."""

    enabled: bool = Field(default=False, description="Whether it is on.")


class VpcServiceAccess(KubeModel):
    """Access to services of the cloud network around a cluster."""

    ingress: Switch | None = Field(default=None, description="From the cloud network into the slice.")
    egress: Switch | None = Field(default=None, description="From the slice into the cloud network.")


class ExternalGateway(KubeModel):
    """The HTTP gateways of a slice in one cluster."""

    ingress: Switch | None = Field(default=None, description="Gateway for traffic that enters from other clusters.")
    egress: Switch | None = Field(default=None, description="Gateway for traffic that leaves to other clusters.")
    ns_ingress: Switch | None = Field(default=None, description="Gateway for traffic from outside the clusters.")
    gateway_type: Literal["none", "istio", "envoy"] | None = Field(default=None, description="Which proxy runs.")
    vpc_service_access: VpcServiceAccess | None = Field(
        default=None, description="Access to services of the cloud network around a cluster."
    )


class ClustersExternalGateway(ExternalGateway):
    """The HTTP gateways of a slice in some of its clusters."""

    clusters: list[Label] = Field(
        default_factory=list, description='Clusters that get these gateways; "*" alone means all.', max_length=32
    )
