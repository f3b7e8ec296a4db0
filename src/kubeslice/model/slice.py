"""Slice: a slice inside one worker cluster. Written by the worker operator, read by agent, router, gateway and DNS."""

from typing import ClassVar, Literal

from pydantic import Field

from kubeslice.model.apppods import AppPod
from kubeslice.model.base import STATE_COLUMNS, Column, Kind, KubeModel, Status, map_list, renamed
from kubeslice.model.externalgateway import ExternalGateway
from kubeslice.model.names import LOWEST_VNI, MAX_PLANES
from kubeslice.model.qos import ResolvedQosProfile
from kubeslice.model.quotas import QuotaPart
from kubeslice.model.resources import SLICES
from kubeslice.model.tunnels import PlaneKeys
from kubeslice.model.workersliceconfig import WorkerNamespaceIsolationProfile

HIGHEST_VNI = 2**24 - 1


class NodeBlocks(KubeModel):
    """Address blocks that one node gives to its pods."""

    node: str = Field(description="Name of the node.")
    cidrs: list[str] = Field(default_factory=list, description="Blocks of the cluster's subnet.")


class Isolation(KubeModel):
    """Who reaches the slice's namespaces in this cluster beside the slice itself."""

    allowed_namespaces: list[str] = Field(default_factory=list, description="Further namespaces that are let in.")


class SliceSpec(KubeModel):
    """What the slice should be in this cluster, decided by the operator."""

    slice_name: str = Field(default="", description="Name of the slice.")
    slice_subnet: str = Field(default="", description="Subnet of the whole slice.")
    cluster_subnet: str = Field(default="", description="Part of it for this cluster.")
    cluster_name: str = Field(default="", description="Name under which this cluster is registered.")
    vni: int | None = Field(
        default=None, description="Number of the segment's VXLAN in this cluster.", ge=LOWEST_VNI, le=HIGHEST_VNI
    )
    mtu: int | None = Field(default=None, description="MTU inside the slice in bytes.", ge=400, le=65535)
    gateway_replicas: int = Field(default=1, description="Number of planes.", ge=1, le=MAX_PLANES)
    gateway_type: Literal["OpenVPN", "Wireguard"] = Field(default="Wireguard", description="Engine of the tunnels.")
    gateway_keys: list[PlaneKeys] = Field(
        default_factory=list,
        description="Generations of the gateways' keys, by plane; generation 1 where nothing is said.",
        max_length=MAX_PLANES,
        json_schema_extra=map_list("plane"),
    )
    namespaces: list[str] = Field(default_factory=list, description="Namespaces whose pods join.")
    only_existing: bool | None = Field(default=None, description="Whether these join where they are, and are not made.")
    isolation: Isolation | None = Field(
        default=None, description="Who is let into the namespaces beside the slice; everybody where nothing is said."
    )
    resource_quota: QuotaPart | None = Field(default=None, description="What the slice may use in this cluster.")
    node_blocks: list[NodeBlocks] = Field(
        default_factory=list,
        description="Address blocks of each node; a block never moves to another node while pods use it.",
        json_schema_extra=map_list("node"),
    )


class SliceIpam(KubeModel):
    """How the slice's subnet is cut."""

    slice_ipam_type: str = Field(default="Local", description="How the subnet is cut.")
    ipam_cluster_octet: int | None = Field(default=None, description="Which part this cluster has, from 0.")


class LocalSliceConfig(KubeModel):
    """The slice's configuration as the hub gave it to this cluster."""

    slice_id: str = Field(default="", description="Name of the slice.")
    slice_display_name: str = Field(default="", description="Name of the slice for people.")
    slice_type: str = Field(default="Application", description="Kind of the slice.")
    slice_subnet: str = Field(default="", description="Subnet of the whole slice.")
    cluster_subnet_cidr: str = renamed("clusterSubnetCIDR", "Part of it for this cluster.", "")
    slice_ipam: SliceIpam | None = Field(default=None, description="How the subnet is cut.")
    slice_overlay_network_deployment_mode: Literal["single-network", "multi-network", "no-network"] | None = Field(
        default=None, description="Which network the slice has."
    )
    slice_gateway_protocol: str = Field(default="", description="Protocol of the tunnels.")
    slice_gateway_service_type: str = Field(default="", description="How the gateways are exposed.")
    qos_profile_details: ResolvedQosProfile | None = Field(default=None, description="QoS profile of the slice.")
    namespace_isolation_profile: WorkerNamespaceIsolationProfile | None = Field(
        default=None, description="Namespaces of the slice in this cluster."
    )
    external_gateway_config: ExternalGateway | None = Field(
        default=None, description="HTTP gateways of the slice in this cluster."
    )


class SliceStatus(Status):
    """What the slice is in this cluster."""

    slice_config: LocalSliceConfig | None = Field(default=None, description="Configuration from the hub.")
    dns_ip: str = renamed("dnsIP", "Address of the slice's DNS in this cluster.", "")
    app_pods: list[AppPod] = Field(default_factory=list, description="Pods on the slice in this cluster.")
    app_pods_updated_on: int | None = Field(default=None, description="When appPods last changed, Unix seconds.")
    application_namespaces: list[str] = Field(default_factory=list, description="Namespaces whose pods are on it.")
    allowed_namespaces: list[str] = Field(default_factory=list, description="Further namespaces let in.")
    network_policies_installed: bool = Field(
        default=False, description="Whether isolation is on and every namespace has its NetworkPolicy."
    )


class Slice(Kind):
    """A slice inside one worker cluster."""

    resource = SLICES
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Subnet", ".spec.clusterSubnet"),
        Column("VNI", ".spec.vni", type="integer", priority=1),
        Column("MTU", ".spec.mtu", type="integer", priority=1),
        Column("Namespaces", ".spec.namespaces"),
        *STATE_COLUMNS,
    )

    spec: SliceSpec = Field(default_factory=SliceSpec, description="What it should be.")
    status: SliceStatus = Field(default_factory=SliceStatus, description="What it is.")
