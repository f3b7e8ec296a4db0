"""Cluster: a worker cluster known to the hub. Users write the spec, the worker and the hub parts of the status."""

from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from kubeslice.model.base import STATE_COLUMNS, Column, Kind, KubeModel, Rule, Status, Timestamp, renamed, rules
from kubeslice.model.health import ClusterHealth
from kubeslice.model.names import MAX_CLUSTER_LENGTH
from kubeslice.model.resources import CLUSTERS


class GeoLocation(KubeModel):
    """Where a cluster is."""

    cloud_provider: str = Field(default="", description="Cloud provider of the cluster.")
    cloud_region: str = Field(default="", description="Region of the cloud provider.")
    latitude: str = Field(default="", description="Latitude in degrees, -90 to 90.", max_length=32)
    longitude: str = Field(default="", description="Longitude in degrees, -180 to 180.", max_length=32)


class Telemetry(KubeModel):
    """Where the metrics of a cluster can be asked for."""

    enabled: bool = Field(default=False, description="Whether metrics can be asked for.")
    endpoint: str = Field(default="", description="URL of the metrics server.")
    telemetry_provider: str = Field(default="", description="Kind of the metrics server.")


class KubernetesDashboard(KubeModel):
    """The dashboard of a cluster."""

    enabled: bool = Field(default=False, description="Whether there is a dashboard.")
    access_token: str = Field(default="", description="Name of the Secret with the dashboard's token.")
    ingress_prefix: str = Field(default="", description="Path of the dashboard.")
    endpoint: str = Field(default="", description="URL of the dashboard.")


class Monitoring(KubeModel):
    """Where people look at a cluster."""

    kubernetes_dashboard: KubernetesDashboard | None = Field(default=None, description="The cluster's dashboard.")
    grafana_dashboard_base_url: str = renamed("grafanaDashboardBaseURL", "URL of Grafana.", "")


class ClusterProperty(KubeModel):
    """What is known about a cluster beside its network."""

    telemetry: Telemetry | None = Field(default=None, description="Metrics of the cluster.")
    geo_location: GeoLocation | None = Field(default=None, description="Where the cluster is.")
    monitoring: Monitoring | None = Field(default=None, description="Where people look at the cluster.")


class CredentialWishes(KubeModel):
    """How a cluster's worker proves to the hub who it is."""

    revision: str = Field(
        default="",
        description="Any text; a change of it makes every credential that the worker was ever given worthless at once.",
        max_length=64,
    )
    keep_secret: bool = Field(
        default=False,
        description="Whether the Secret with the credential to join with stays when the worker has one of its own.",
    )


class ClusterSpec(KubeModel):
    """What an administrator says about a cluster."""

    node_ip: str = renamed("nodeIP", "Address of one gateway node; nodeIPs replaces it.", "", max_length=64)
    node_ips: list[str] = renamed(
        "nodeIPs", "Addresses where the gateways are reached; empty: the worker finds them.", list, max_length=64
    )
    evicted: bool = Field(
        default=False,
        description="Whether the cluster is shut out: of every slice and of the hub, whatever their clusters say.",
    )
    credential: CredentialWishes | None = Field(
        default=None, description="How the worker's credential is looked after."
    )
    network_interface: str = Field(default="", description="Interface of the gateway nodes that faces other clusters.")
    cluster_property: ClusterProperty | None = Field(default=None, description="What else is known about the cluster.")
    enable_auto_eviction: bool = Field(default=False, description="Read, and without effect in this product.")
    requeue_on_failure: bool = Field(default=False, description="Read, and without effect in this product.")


class ClusterNamespace(KubeModel):
    """A namespace of a worker cluster."""

    name: str = Field(default="", description="Name of the namespace.")
    slice_name: str = Field(default="", description="Slice the namespace is in, if any.")


class Restriction(KubeModel):
    """A licence restriction of the Go implementation."""

    enforce_restrictions: bool = Field(default=False, description="Whether it is enforced.")
    last_updated_timestamp: Timestamp = Field(default="", description="When it last changed.")


class HeldCredential(KubeModel):
    """The credential that a worker got for itself: the times of a token, never the token."""

    account_uid: str = renamed("accountUID", "The ServiceAccount it stands for; one made anew is another.", "")
    issued_at: Timestamp = Field(default="", description="When the hub's API server gave it out.")
    expires_at: Timestamp = Field(default="", description="When it ends to be good.")


Registration = Literal[
    "Pending", "InProgress", "Failed", "Registered", "DeregisterInProgress", "DeregisterFailed", "Deregistered"
]


class ClusterStatus(Status):
    """What the worker and the hub report about a cluster."""

    registration_status: Registration | None = Field(default=None, description="How far the registration is.")
    secret_name: str = Field(
        default="", description="Secret beside this object with the credential to join with, while there is one."
    )
    credential: HeldCredential | None = Field(default=None, description="The worker's own credential, once it has one.")
    credential_seconds: int | None = Field(default=None, description="How long credentials of workers live.")
    credential_revision: str = Field(default="", description="The spec.credential.revision that is in force.")
    cluster_namespace: str = Field(default="", description="Namespace on the hub that belongs to this cluster alone.")
    node_ips: list[str] = renamed("nodeIPs", "Addresses where the gateways are reached.", list)
    cni_subnet: list[str] = Field(default_factory=list, description="Pod and service networks of the cluster.")
    network_present: bool = Field(default=False, description="Whether the nodes' agents can attach pods to slices.")
    namespaces: list[ClusterNamespace] = Field(default_factory=list, description="Namespaces of the cluster.")
    cluster_health: ClusterHealth | None = Field(default=None, description="Health of the cluster's components.")
    heartbeat_time: Timestamp = Field(default="", description="When the worker was last heard of.")
    worker_version: str = Field(default="", description="Version of the worker operator.")
    is_deregister_in_progress: bool = Field(default=False, description="Whether the cluster is on its way out.")
    gpu_restriction: Restriction | None = renamed("GPURestriction", "Read, and without effect in this product.")
    vcpu_restriction: Restriction | None = renamed("vCPURestriction", "Read, and without effect in this product.")


class Cluster(Kind):
    """A worker cluster that may be a member of slices."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                f"self.metadata.name.size() <= {MAX_CLUSTER_LENGTH}",
                f"the name has more than {MAX_CLUSTER_LENGTH} characters: register the cluster under a shorter name, "
                "names of gateways are made of it",
            ),
            Rule(
                "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
                "the name is not made of lower-case letters, digits and '-' only: register the cluster under another",
            ),
        )
    )
    resource = CLUSTERS
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Registration", ".status.registrationStatus"),
        Column("Health", '.status.conditions[?(@.type=="ComponentsHealthy")].reason'),
        Column("Node IPs", ".status.nodeIPs", priority=1),
        *STATE_COLUMNS,
    )

    spec: ClusterSpec = Field(default_factory=ClusterSpec, description="What an administrator says about the cluster.")
    status: ClusterStatus = Field(default_factory=ClusterStatus, description="What is reported about the cluster.")
