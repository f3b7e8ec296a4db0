"""SliceConfig: a slice as its users describe it. Read by `hub.slice_config`, checked by `plan.checks.validation`."""

from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from kubeslice.model.base import (
    STATE_COLUMNS,
    Column,
    Kind,
    KubeModel,
    Label,
    Status,
    Timestamp,
    map_list,
    renamed,
    set_list,
)
from kubeslice.model.externalgateway import ClustersExternalGateway
from kubeslice.model.names import MAX_PLANES
from kubeslice.model.qos import QosProfile
from kubeslice.model.resources import SLICECONFIGS
from kubeslice.model.sliceipam import DEFAULT_PART_PREFIX
from kubeslice.model.slicerules import (
    EXPOSURE_RULES,
    NAME_RULES,
    PAIR_RULES,
    PART_RULES,
    SPEC_RULES,
    SUBNET_RULES,
    SUBNET_V6_RULES,
    TOPOLOGY_RULES,
    kept,
)

MAX_CLUSTERS = 512
MAX_NAMESPACES = 1024


class SliceGatewayServiceType(KubeModel):
    """How the gateways of one cluster, or of all others, are exposed."""

    model_config = ConfigDict(json_schema_extra=EXPOSURE_RULES)

    cluster: str = Field(
        description='Member cluster, "*" for every cluster without an entry.', min_length=1, max_length=63
    )
    type: Literal["NodePort", "LoadBalancer"] = Field(default="NodePort", description="Type of the gateways' Service.")
    protocol: Literal["TCP", "UDP"] = Field(default="UDP", description="Protocol of the tunnels.")


class SliceGatewayProvider(KubeModel):
    """How the clusters of a slice are connected."""

    slice_gateway_type: Literal["OpenVPN", "Wireguard"] = Field(
        default="Wireguard",
        description="Engine of the tunnels. Cannot change.",
        json_schema_extra=kept("sliceGatewayType", "tunnels of two engines do not meet"),
    )
    slice_ca_type: str = Field(
        default="Local",
        description="Who signs certificates; not used with WireGuard. Cannot change.",
        max_length=63,
        json_schema_extra=kept("sliceCaType", "the ends of a tunnel would not trust each other"),
    )
    slice_gateway_service_type: list[SliceGatewayServiceType] = Field(
        default_factory=list,
        description="How the gateways are exposed; NodePort and UDP where nothing is said.",
        max_length=MAX_CLUSTERS + 1,
        json_schema_extra=map_list("cluster"),
    )


class ClusterPair(KubeModel):
    """Two clusters that are connected."""

    model_config = ConfigDict(json_schema_extra=PAIR_RULES)

    clusters: list[Label] = Field(description="The two member clusters.", min_length=2, max_length=2)


class Topology(KubeModel):
    """Which clusters of a slice are connected."""

    model_config = ConfigDict(json_schema_extra=TOPOLOGY_RULES)

    mode: Literal["FullMesh", "HubAndSpoke", "Restricted"] = Field(
        default="FullMesh",
        description="Every pair of clusters; every cluster with the hubs; or the listed pairs only.",
    )
    hubs: list[Label] = Field(
        default_factory=list, description="Member clusters that all others connect to; HubAndSpoke only.", max_length=8
    )
    spoke_to_spoke: bool = Field(
        default=True, description="Whether spokes reach each other through a hub; HubAndSpoke only."
    )
    pairs: list[ClusterPair] = Field(
        default_factory=list, description="Pairs that are connected; Restricted only.", max_length=496
    )


class VpnConfig(KubeModel):
    """Settings of the OpenVPN engine."""

    cipher: Literal["AES-256-GCM", "AES-128-GCM", "CHACHA20-POLY1305", "AES-256-CBC", "AES-128-CBC"] = Field(
        default="AES-256-GCM",
        description="Cipher of OpenVPN tunnels; WireGuard has one of its own. Cannot change.",
        json_schema_extra=kept("cipher", "the ends of a tunnel would not understand each other"),
    )


class NamespaceSelection(KubeModel):
    """A namespace and the clusters in which it is meant."""

    namespace: str = Field(description="Name of the namespace.", min_length=1, max_length=63)
    clusters: list[Label] = Field(
        default_factory=list,
        description='Member clusters in which the namespace is meant; "*" alone means all.',
        max_length=MAX_CLUSTERS,
    )


class NamespaceIsolationProfile(KubeModel):
    """Namespaces of a slice."""

    isolation_enabled: bool = Field(default=False, description="Whether other namespaces are kept out.")
    application_namespaces: list[NamespaceSelection] = Field(
        default_factory=list,
        description="Namespaces whose pods join the slice; created where they are missing.",
        max_length=MAX_NAMESPACES,
        json_schema_extra=map_list("namespace"),
    )
    allowed_namespaces: list[NamespaceSelection] = Field(
        default_factory=list,
        description="Further namespaces that may talk to them when isolationEnabled.",
        max_length=MAX_NAMESPACES,
        json_schema_extra=map_list("namespace"),
    )


class IpamSettings(KubeModel):
    """How the subnet of a Dynamic slice is cut."""

    cluster_subnet_size: int = Field(
        default=DEFAULT_PART_PREFIX,
        description="Prefix length of the part of each cluster, 16 to 26. Cannot change.",
        ge=16,
        le=30,
        json_schema_extra=PART_RULES,
    )


class SliceConfigSpec(KubeModel):
    """What a slice should be."""

    model_config = ConfigDict(json_schema_extra=SPEC_RULES)

    overlay_network_deployment_mode: Literal["single-network", "multi-network", "no-network"] = Field(
        default="single-network",
        description="Which network the slice has: one flat overlay, one for each cluster, or none.",
    )
    slice_subnet: str = Field(
        default="",
        description="Subnet of the whole slice, a private IPv4 /16 such as 10.1.0.0/16; with sliceIpamType Dynamic any "
        "private network of /8 to /26. Cannot change, except that a Dynamic one may grow to a shorter prefix.",
        max_length=18,
        json_schema_extra=SUBNET_RULES,
    )
    slice_subnet_v6: str = renamed(
        "sliceSubnetV6",
        "IPv6 subnet of the slice beside the IPv4 one, a unique local network of /48 to /56 such as "
        "fd12:3456:789a::/48; each cluster has a /64 of it. May be added, cannot change.",
        "",
        max_length=43,
        json_schema_extra=SUBNET_V6_RULES,
    )
    slice_type: str = Field(
        default="Application",
        description="Kind of the slice. Cannot change.",
        max_length=63,
        json_schema_extra=kept("sliceType", "it decides what the slice is made of"),
    )
    slice_gateway_provider: SliceGatewayProvider = Field(
        default_factory=SliceGatewayProvider,
        description="How the clusters are connected.",
        json_schema_extra={"default": {}},
    )
    slice_ipam_type: str = Field(
        default="Local",
        description="How the subnet is cut: Local or Static into maxClusters equal parts, Dynamic into parts of the "
        "size in ipam, given out one by one. Cannot change.",
        max_length=63,
        json_schema_extra=kept("sliceIpamType", "pods have addresses that depend on it"),
    )
    ipam: IpamSettings | None = Field(default=None, description="How the subnet of a Dynamic slice is cut.")
    clusters: list[Label] = Field(
        default_factory=list,
        description="Member clusters, by name of their Cluster object, each once.",
        max_length=MAX_CLUSTERS,
        json_schema_extra=set_list(),
    )
    max_clusters: int = Field(
        default=16,
        description="How many members there may be; up to 32, with sliceIpamType Dynamic up to 512. The subnet of any "
        "other slice is cut into this many parts, rounded up to a power of two, within which it may change.",
        ge=2,
        le=MAX_CLUSTERS,
    )
    qos_profile_details: QosProfile | None = Field(default=None, description="QoS profile of this slice alone.")
    standard_qos_profile_name: str = Field(
        default="", description="Name of a SliceQoSConfig; `default` where no profile is given.", max_length=253
    )
    namespace_isolation_profile: NamespaceIsolationProfile | None = Field(
        default=None, description="Namespaces of the slice."
    )
    external_gateway_config: list[ClustersExternalGateway] = Field(
        default_factory=list, description="HTTP gateways of the slice.", max_length=MAX_CLUSTERS
    )
    vpn_config: VpnConfig | None = Field(default=None, description="Settings of the OpenVPN engine.")
    gateway_replicas: int = Field(
        default=2,
        description="Gateways of the slice in each cluster, each an encrypted plane of its own.",
        ge=1,
        le=MAX_PLANES,
    )
    topology: Topology | None = Field(
        default=None, description="Which clusters are connected; all where nothing is said."
    )
    rotation_interval: int = Field(default=30, description="Days between key rotations.", ge=30, le=90)
    rotation_period: str = Field(
        default="",
        description="Time between key rotations where days are too coarse, such as 90s, 15m or 12h; at least 60s.",
        max_length=16,
        pattern="^([0-9]+(s|m|h))?$",
    )
    renew_before: Timestamp = Field(default="", description="Rotate the keys at this time, not later.")


class SliceMember(KubeModel):
    """A slice in one of its clusters, summed up."""

    cluster: str = Field(description="Name of the cluster.")
    octet: int | None = Field(default=None, description="Which part of the subnet it has, from 0.")
    cluster_subnet: str = Field(default="", description="Its part of the slice's subnet.")
    cluster_subnet_v6: str = Field(default="", description="Its part of the slice's IPv6 subnet.")
    ready: bool = Field(default=False, description="Whether the slice works in this cluster.")
    message: str = Field(default="", description="What is wrong, if anything.")
    tunnels_up: int | None = Field(default=None, description="Tunnels of this cluster that are up.")
    tunnels: int | None = Field(default=None, description="Tunnels this cluster should have.")
    app_pods: int | None = Field(default=None, description="Pods of this cluster on the slice.")


class Relay(KubeModel):
    """A pair of clusters that do not reach each other, and the cluster that carries their traffic."""

    clusters: list[str] = Field(description="The two clusters.", min_length=2, max_length=2)
    via: str = Field(default="", description="The cluster between them; empty while no other reaches both.")


class TopologyStatus(KubeModel):
    """Which clusters are connected."""

    mode: str = Field(default="", description="Topology in force.")
    edges_wanted: int | None = Field(default=None, description="Pairs of clusters that should be connected.")
    edges_ready: int | None = Field(default=None, description="Pairs that are, by one tunnel at least.")
    relays: list[Relay] = Field(
        default_factory=list, description="Pairs that another cluster connects than planned, or that none connects."
    )
    swapped: list[ClusterPair] = Field(
        default_factory=list,
        description="Pairs whose Server could not be called, so that it calls the Client; OpenVPN only.",
    )


class KubesliceEvent(KubeModel):
    """An event of a worker cluster, mirrored in the form of the Go implementation."""

    type: str = Field(default="", description="Warning or Normal.")
    event: str = Field(description="Name of the event.")
    reason: str = Field(default="", description="Why it happened.")
    action: str = Field(default="", description="What to do.")
    identifier: str = Field(default="", description="What it is about.")
    components: list[str] = Field(default_factory=list, description="Components it is about.")
    is_event_raised: bool = Field(default=False, description="Whether it was raised.")
    timestamp: Timestamp = Field(default="", description="When it happened.")


class SliceConfigStatus(Status):
    """What a slice is."""

    tunnels: str = Field(default="", description="Tunnels that are up of those that should be: 3/3.")
    topology: TopologyStatus | None = Field(default=None, description="Which clusters are connected.")
    members: list[SliceMember] = Field(
        default_factory=list, description="The slice in each of its clusters.", json_schema_extra=map_list("cluster")
    )
    kubeslice_events: list[KubesliceEvent] = Field(
        default_factory=list, description="Events mirrored from the workers."
    )


class SliceConfig(Kind):
    """A slice: one flat, encrypted network for the pods of an application in several clusters."""

    model_config = ConfigDict(json_schema_extra=NAME_RULES)
    resource = SLICECONFIGS
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Clusters", ".spec.clusters"),
        Column("Subnet", ".spec.sliceSubnet"),
        Column("Tunnels", ".status.tunnels"),
        *STATE_COLUMNS,
    )

    spec: SliceConfigSpec = Field(default_factory=SliceConfigSpec, description="What the slice should be.")
    status: SliceConfigStatus = Field(default_factory=SliceConfigStatus, description="What the slice is.")
