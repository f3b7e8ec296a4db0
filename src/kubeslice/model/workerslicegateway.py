"""WorkerSliceGateway: one side of a pair of clusters. Written by the hub for the local cluster, read by its worker."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from kubeslice.model.base import STATE_COLUMNS, Column, Kind, KubeModel, Rule, Status, map_list, rules
from kubeslice.model.names import MAX_PLANES
from kubeslice.model.resources import WORKERSLICEGATEWAYS
from kubeslice.model.tunnels import PlanePeer, PlaneState

GatewayNumber = Annotated[
    int,
    Field(
        json_schema_extra=rules(
            Rule("self == oldSelf", "gatewayNumber cannot change: both ends of the pair know each other by it")
        )
    ),
]


class GatewayConfig(KubeModel):
    """One end of a pair."""

    cluster_name: str = Field(default="", description="Cluster of this end.")
    gateway_name: str = Field(default="", description="Name of this end's gateway object.")
    gateway_subnet: str = Field(default="", description="Subnet of the slice in this end's cluster.")
    node_ip: str = Field(default="", description="Address of one gateway node; nodeIps replaces it.")
    node_ips: list[str] = Field(default_factory=list, description="Addresses of the gateway nodes.")
    node_port: int | None = Field(default=None, description="Port on the nodes; nodePorts replaces it.")
    node_ports: list[int] = Field(default_factory=list, description="Ports on the nodes, one for each plane.")
    load_balancer_ips: list[str] = Field(default_factory=list, description="Addresses of the load balancer.")
    vpn_ip: str = Field(default="", description="Address of this end's gateway of plane 0 in the slice.")


class RemoteGatewayConfig(GatewayConfig):
    """The other end of a pair, with what is needed to build the tunnels to it."""

    planes: list[PlanePeer] = Field(
        default_factory=list,
        description="Public key and endpoints of each plane's gateway, as the remote cluster reports them.",
        max_length=2 * MAX_PLANES,
        json_schema_extra=map_list("plane", "generation"),
    )
    transit_subnets: list[str] = Field(
        default_factory=list, description="Subnets of further clusters that are reached through this one."
    )
    carried_subnets: list[str] = Field(
        default_factory=list, description="Subnets of further clusters that this one reaches through us."
    )


class GatewayCredentials(KubeModel):
    """Where on the hub the secrets of a pair are, beside the object that names them."""

    secret_name: str = Field(default="", description="Secret with the pre-shared keys of the pair.")


class WorkerSliceGatewaySpec(KubeModel):
    """What one side of a pair should be."""

    slice_name: str = Field(default="", description="Slice of the pair.", max_length=63)
    gateway_type: Literal["OpenVPN", "Wireguard"] = Field(default="Wireguard", description="Engine of the tunnels.")
    gateway_host_type: Literal["Client", "Server"] | None = Field(
        default=None,
        description="Server for the cluster that comes first in the slice's list.",
    )
    gateway_connectivity_type: Literal["NodePort", "LoadBalancer"] = Field(
        default="NodePort", description="How the gateways are exposed."
    )
    gateway_protocol: Literal["TCP", "UDP"] = Field(default="UDP", description="Protocol of the tunnels.")
    gateway_credentials: GatewayCredentials | None = Field(default=None, description="Secrets of the pair.")
    relay: str = Field(
        default="",
        description="Cluster through which the traffic of this pair goes while they do not reach each other.",
    )
    cipher: str = Field(default="", description="Cipher of OpenVPN tunnels; not used with WireGuard.")
    gateway_number: GatewayNumber | None = Field(
        default=None, description="Number of the pair, unique in the slice and equal on both sides."
    )
    local_gateway_config: GatewayConfig = Field(default_factory=GatewayConfig, description="This side.")
    remote_gateway_config: RemoteGatewayConfig = Field(
        default_factory=RemoteGatewayConfig, description="The other side."
    )


class WorkerSliceGatewayStatus(Status):
    """What the worker reports about its side of a pair."""

    gateway_number: int | None = Field(default=None, description="Number of the pair that is in use.")
    cluster_insertion_index: int | None = Field(default=None, description="Index of the local cluster in the slice.")
    planes: list[PlaneState] = Field(
        default_factory=list, description="Tunnel of each plane.", json_schema_extra=map_list("plane")
    )


class WorkerSliceGateway(Kind):
    """One side of a pair of clusters of a slice."""

    resource = WORKERSLICEGATEWAYS
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Slice", ".spec.sliceName"),
        Column("Remote", ".spec.remoteGatewayConfig.clusterName"),
        Column("Remote Subnet", ".spec.remoteGatewayConfig.gatewaySubnet"),
        Column("Tunnels", ".status.planes[*].state"),
        *STATE_COLUMNS,
    )

    spec: WorkerSliceGatewaySpec = Field(default_factory=WorkerSliceGatewaySpec, description="What it should be.")
    status: WorkerSliceGatewayStatus = Field(default_factory=WorkerSliceGatewayStatus, description="What it is.")
