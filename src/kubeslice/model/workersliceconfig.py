"""WorkerSliceConfig: a slice for one member cluster. Written by the hub, read by that worker, which reports here."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from kubeslice.model.apppods import AppPod, OnboardedNamespace
from kubeslice.model.base import STATE_COLUMNS, Column, Kind, KubeModel, Rule, Status, map_list, renamed, rules
from kubeslice.model.externalgateway import ExternalGateway
from kubeslice.model.health import SliceHealth
from kubeslice.model.names import MAX_PARTS, MAX_PLANES
from kubeslice.model.qos import ResolvedQosProfile
from kubeslice.model.quotas import QuotaPart, QuotaUse
from kubeslice.model.resources import WORKERSLICECONFIGS
from kubeslice.model.tunnels import GatewayCertificate, PlaneGateway, PlaneKeys

Octet = Annotated[
    int,
    Field(
        ge=0,
        lt=MAX_PARTS,
        json_schema_extra=rules(Rule("self == oldSelf", "octet cannot change: pods have addresses that depend on it")),
    ),
]


class WorkerNamespaceIsolationProfile(KubeModel):
    """Namespaces of a slice in one cluster."""

    application_namespaces: list[str] = Field(default_factory=list, description="Namespaces whose pods join.")
    allowed_namespaces: list[str] = Field(
        default_factory=list, description="Further namespaces that may talk to them when isolated."
    )
    isolation_enabled: bool = Field(default=False, description="Whether other namespaces are kept out.")
    only_existing: bool = Field(
        default=False, description="Whether applicationNamespaces join where they are, and are not made."
    )


class WorkerSliceGatewayProvider(KubeModel):
    """How the gateways of a slice work in one cluster."""

    slice_gateway_type: str = Field(default="Wireguard", description="Engine of the tunnels.")
    slice_ca_type: str = Field(default="Local", description="Who signs certificates; not used with WireGuard.")
    cipher: str = Field(default="", description="Cipher of OpenVPN tunnels; not used with WireGuard.")
    slice_gateway_service_type: Literal["NodePort", "LoadBalancer"] = Field(
        default="NodePort", description="How the gateways are exposed."
    )
    slice_gateway_protocol: Literal["TCP", "UDP"] = Field(default="UDP", description="Protocol of the tunnels.")


class WorkerSliceConfigSpec(KubeModel):
    """What a slice should be in one cluster."""

    slice_name: str = Field(default="", description="Name of the slice.", max_length=63)
    slice_type: str = Field(default="Application", description="Kind of the slice.")
    overlay_network_deployment_mode: Literal["single-network", "multi-network", "no-network"] = Field(
        default="single-network", description="Which network the slice has."
    )
    slice_subnet: str = Field(default="", description="Subnet of the whole slice.", max_length=18)
    cluster_subnet_cidr: str = renamed(
        "clusterSubnetCIDR", "Part of the slice's subnet for this cluster.", "", max_length=18
    )
    slice_subnet_v6: str = renamed("sliceSubnetV6", "IPv6 subnet of the whole slice.", "", max_length=43)
    cluster_subnet_cidr_v6: str = renamed(
        "clusterSubnetCIDRV6", "Part of the slice's IPv6 subnet for this cluster.", "", max_length=43
    )
    octet: Octet | None = Field(default=None, description="Which part of the slice's subnet this cluster has, from 0.")
    ipam_cluster_octet: int | None = Field(default=None, description="Older name of octet.")
    slice_ipam_type: str = Field(default="Local", description="How the subnet is cut.")
    gateway_replicas: int = Field(default=1, description="Number of planes.", ge=1, le=MAX_PLANES)
    gateway_keys: list[PlaneKeys] = Field(
        default_factory=list,
        description="Generations of the gateways' keys, by plane; generation 1 where nothing is said.",
        max_length=MAX_PLANES,
        json_schema_extra=map_list("plane"),
    )
    gateway_certificates: list[GatewayCertificate] = Field(
        default_factory=list,
        description="Certificates of this cluster's gateways; OpenVPN only.",
        max_length=2 * MAX_PLANES,
        json_schema_extra=map_list("plane", "generation"),
    )
    certificate_authority: str = Field(
        default="", description="Certificate of the slice's authority, PEM; OpenVPN only.", max_length=16384
    )
    revocation_list: str = Field(
        default="", description="Certificates that the authority has revoked, X.509 CRL, PEM.", max_length=262144
    )
    qos_profile_details: ResolvedQosProfile | None = Field(default=None, description="QoS profile of the slice.")
    resource_quota: QuotaPart | None = Field(
        default=None, description="What the slice may use in this cluster; made of its SliceResourceQuota."
    )
    namespace_isolation_profile: WorkerNamespaceIsolationProfile = Field(
        default_factory=WorkerNamespaceIsolationProfile, description="Namespaces of the slice in this cluster."
    )
    slice_gateway_provider: WorkerSliceGatewayProvider = Field(
        default_factory=WorkerSliceGatewayProvider, description="How the gateways work in this cluster."
    )
    external_gateway_config: ExternalGateway | None = Field(
        default=None, description="HTTP gateways of the slice in this cluster."
    )


class WorkerSliceConfigStatus(Status):
    """What the worker reports about a slice."""

    slice_health: SliceHealth | None = Field(default=None, description="Health of the slice's components.")
    connected_app_pods: list[AppPod] = Field(default_factory=list, description="Pods on the slice.")
    onboarded_app_namespaces: list[OnboardedNamespace] = Field(
        default_factory=list, description="Namespaces whose pods are on the slice."
    )
    resource_quota: QuotaUse | None = Field(
        default=None, description="What the slice uses in this cluster, where that is limited."
    )
    gateways: list[PlaneGateway] = Field(
        default_factory=list,
        description="Public key and endpoints of each plane's gateway of this cluster, by generation of its keys.",
        max_length=2 * MAX_PLANES,
        json_schema_extra=map_list("plane", "generation"),
    )


class WorkerSliceConfig(Kind):
    """A slice for one member cluster."""

    resource = WORKERSLICECONFIGS
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Slice", ".spec.sliceName"),
        Column("Subnet", ".spec.clusterSubnetCIDR"),
        Column("Health", ".status.sliceHealth.sliceHealthStatus"),
        *STATE_COLUMNS,
    )

    spec: WorkerSliceConfigSpec = Field(default_factory=WorkerSliceConfigSpec, description="What it should be.")
    status: WorkerSliceConfigStatus = Field(default_factory=WorkerSliceConfigStatus, description="What it is.")
