"""SliceGateway: tunnels to one remote cluster. Written by the worker operator, read and reported on by gateways."""

from typing import ClassVar, Literal

from pydantic import Field

from kubeslice.model.base import STATE_COLUMNS, Column, Kind, KubeModel, Status, Timestamp, map_list, renamed
from kubeslice.model.names import MAX_PLANES
from kubeslice.model.resources import SLICEGATEWAYS
from kubeslice.model.tunnels import PlanePeer, PlaneState


class SliceGatewaySpec(KubeModel):
    """Which tunnels there should be to one remote cluster."""

    slice_name: str = Field(default="", description="Slice of the tunnels.")
    site_name: str = Field(default="", description="Name of this side's site.")
    local_cluster: str = Field(default="", description="This cluster.")
    remote_cluster: str = Field(default="", description="The cluster at the other end.")
    remote_subnet: str = Field(default="", description="The slice's subnet in the remote cluster.")
    gateway_type: Literal["OpenVPN", "Wireguard"] = Field(default="Wireguard", description="Engine of the tunnels.")
    host_type: Literal["Client", "Server"] = Field(
        default="Server", description="Which end waits to be called: OpenVPN's Server. With WireGuard both ends call."
    )
    protocol: Literal["TCP", "UDP"] = Field(default="UDP", description="Protocol of the tunnels.")
    cipher: str = Field(default="", description="Cipher of OpenVPN tunnels; not used with WireGuard.")
    planes: list[PlanePeer] = Field(
        default_factory=list,
        description="Public key and endpoints of the remote gateway of each plane, by generation of its keys.",
        max_length=2 * MAX_PLANES,
        json_schema_extra=map_list("plane", "generation"),
    )
    transit_subnets: list[str] = Field(
        default_factory=list, description="Subnets of further clusters that are reached through the remote one."
    )
    carried_subnets: list[str] = Field(
        default_factory=list, description="Subnets of further clusters that the remote one reaches through us."
    )
    relay: str = Field(
        default="",
        description="Cluster through which the traffic of this pair goes while they do not reach each other.",
    )


class LocalGatewayConfig(KubeModel):
    """The gateway's configuration, in the form the Go implementation's users read it."""

    slice_name: str = Field(default="", description="Slice of the gateway.")
    slice_site_name: str = Field(default="", description="Name of this side's site.")
    slice_gateway_id: str = Field(default="", description="Name of this gateway.")
    slice_gateway_name: str = Field(default="", description="Name of this gateway for people.")
    slice_gateway_host_type: str = Field(default="", description="Server or Client.")
    slice_gateway_status: str = Field(default="", description="State of the gateway.")
    slice_gateway_type: Literal["OpenVPN", "Wireguard"] | None = Field(default=None, description="Engine.")
    slice_gateway_protocol: str = Field(default="", description="Protocol of the tunnels.")
    slice_gateway_connectivity_type: str = Field(default="", description="How the gateway is exposed.")
    slice_gateway_subnet: str = Field(default="", description="The slice's subnet in this cluster.")
    slice_gateway_local_vpn_ip: str = Field(default="", description="Address of this end in the slice.")
    slice_gateway_node_ports: list[int] = Field(default_factory=list, description="Ports on this cluster's nodes.")
    slice_gateway_remote_cluster_id: str = Field(default="", description="The cluster at the other end.")
    slice_gateway_remote_gateway_id: str = Field(default="", description="Name of the gateway at the other end.")
    slice_gateway_remote_subnet: str = Field(default="", description="The slice's subnet at the other end.")
    slice_gateway_remote_vpn_ip: str = Field(default="", description="Address of the other end in the slice.")
    slice_gateway_remote_node_ips: list[str] = Field(default_factory=list, description="Nodes at the other end.")
    slice_gateway_remote_node_ports: list[int] = Field(default_factory=list, description="Ports at the other end.")
    slice_gateway_server_lb_ips: list[str] = renamed(
        "sliceGatewayServerLBIps", "Addresses of the server's load balancer.", list
    )
    slice_gateway_intermediate_deployments: list[str] = Field(
        default_factory=list, description="Deployments that are being replaced."
    )


class TunnelStatus(KubeModel):
    """State of a tunnel, in the form the Go implementation's users read it."""

    intf_name: str = renamed("IntfName", "Interface of the tunnel.", "")
    local_ip: str = renamed("LocalIP", "Address of this end.", "")
    remote_ip: str = renamed("RemoteIP", "Address of the other end.", "")
    latency: int | None = renamed("Latency", "Round-trip time in milliseconds.")
    tx_rate: int | None = renamed("TxRate", "Bits sent per second.")
    rx_rate: int | None = renamed("RxRate", "Bits received per second.")
    packet_loss: int | None = renamed("PacketLoss", "Lost probes in percent.")
    status: int | None = renamed("Status", "0 when up, 1 when down.")
    tunnel_state: str = renamed("TunnelState", "UP, DOWN or UNKNOWN.", "")


class GatewayPodStatus(KubeModel):
    """One gateway pod, in the form the Go implementation's users read it."""

    pod_name: str = Field(default="", description="Name of the gateway pod.")
    pod_ip: str = renamed("podIP", "Address of the pod in its cluster.", "")
    local_nsm_ip: str = renamed("localNsmIP", "Address of the pod in the slice.", "")
    peer_pod_name: str = Field(default="", description="Gateway pod at the other end.")
    pod_creation_ts: Timestamp = renamed("podCreationTS", "When the pod was made.", "")
    original_pod_creation_ts: Timestamp = renamed("originalPodCreationTS", "When its first predecessor was made.", "")
    remote_port: int | None = Field(default=None, description="Port at the other end.")
    route_removed: int | None = Field(default=None, description="1 while the router does not use this gateway.")
    tunnel_status: TunnelStatus | None = Field(default=None, description="State of the pod's tunnel.")


class SliceGatewayStatus(Status):
    """What the tunnels to one remote cluster are."""

    config: LocalGatewayConfig | None = Field(default=None, description="Configuration in use.")
    config_updated_on: int | None = Field(default=None, description="When config last changed, Unix seconds.")
    connection_context_updated_on: int | None = Field(
        default=None, description="When the gateway last took its configuration, Unix seconds."
    )
    gateway_pod_status: list[GatewayPodStatus] = Field(default_factory=list, description="Gateway pods.")
    planes: list[PlaneState] = Field(
        default_factory=list, description="Tunnel of each plane.", json_schema_extra=map_list("plane")
    )
    peer_ip: str = Field(default="", description="Address of the gateway at the other end.")
    pod_ips: list[str] = Field(default_factory=list, description="Addresses of the gateway pods in the slice.")
    pod_name: str = Field(default="", description="First gateway pod.")
    pod_names: list[str] = Field(default_factory=list, description="Gateway pods.")
    pod_status: str = Field(default="", description="State of the first gateway pod.")


class SliceGateway(Kind):
    """The tunnels of a slice from this cluster to one remote cluster."""

    resource = SLICEGATEWAYS
    short_names: ClassVar[tuple[str, ...]] = ("gw", "slicegw")
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Subnet", ".status.config.sliceGatewaySubnet"),
        Column("Remote Subnet", ".spec.remoteSubnet"),
        Column("Remote Cluster", ".spec.remoteCluster"),
        Column("Tunnels", ".status.planes[*].state"),
        Column("Latency", ".status.planes[*].latencyMicroseconds", priority=1, description="microseconds"),
        Column("GW Status", ".status.config.sliceGatewayStatus", priority=1),
        *STATE_COLUMNS,
    )

    spec: SliceGatewaySpec = Field(default_factory=SliceGatewaySpec, description="What there should be.")
    status: SliceGatewayStatus = Field(default_factory=SliceGatewayStatus, description="What there is.")
