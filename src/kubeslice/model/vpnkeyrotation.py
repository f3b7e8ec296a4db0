"""VpnKeyRotation: how old the keys of a slice's gateways are and how their renewal goes. Written by the hub."""

from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from kubeslice.model.base import STATE_COLUMNS, Column, Kind, KubeModel, Rule, Status, Timestamp, map_list, rules
from kubeslice.model.names import MAX_PLANES
from kubeslice.model.resources import VPNKEYROTATIONS

RotationState = Literal["READ_IN_PROGRESS", "SECRET_UPDATED", "IN_PROGRESS", "COMPLETE", "ERROR"]

NAME_RULES = rules(
    Rule(
        "!has(self.spec) || !has(self.spec.sliceName) || self.spec.sliceName in ['', self.metadata.name]",
        "spec.sliceName is not the name of this object: write the same name twice, it is that of the slice",
    )
)


class VpnKeyRotationSpec(KubeModel):
    """When the keys of a slice are renewed."""

    slice_name: str = Field(default="", description="Slice of the keys; the name of this object too.")
    clusters: list[str] = Field(default_factory=list, description="Member clusters.")
    cluster_gateway_mapping: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Gateways of each cluster: the names of its WorkerSliceGateways. Empty where there are over 1000.",
    )
    rotation_interval: int | None = Field(default=None, description="Days between rotations.")
    rotation_period: str = Field(default="", description="Time between rotations where days are too coarse.")
    rotation_count: int | None = Field(default=None, description="Rotations since the slice was made.")
    certificate_creation_time: Timestamp = Field(default="", description="When the keys in use were asked for.")
    certificate_expiry_time: Timestamp = Field(default="", description="When they are renewed at the latest.")


class GatewayRotation(KubeModel):
    """How far one gateway is with a rotation."""

    status: RotationState = Field(default="IN_PROGRESS", description="How far it is.")
    last_updated_timestamp: Timestamp = Field(default="", description="When that last changed.")


class PlaneRotation(KubeModel):
    """How far one plane is with a rotation."""

    plane: int = Field(description="Number of the plane, from 0.", ge=0, lt=MAX_PLANES)
    generations: list[int] = Field(default_factory=list, description="Generations of keys in force, oldest first.")
    since: Timestamp = Field(default="", description="When the newest of them was asked for.")
    expires: Timestamp = Field(default="", description="When the newest of them ends to be valid.")


class KeyRecord(KubeModel):
    """A key that a gateway has or had. Nobody may come with it again, under whatever name."""

    cluster: str = Field(description="Cluster of the gateway.")
    plane: int = Field(description="Number of the plane, from 0.", ge=0, lt=MAX_PLANES)
    generation: int = Field(description="Generation of the key, from 1.", ge=1)
    fingerprint: str = Field(description="First 16 hexadecimal digits of the public key's SHA-256.", max_length=16)


class VpnKeyRotationStatus(Status):
    """How the rotation goes, by gateway and by plane."""

    current_rotation_state: dict[str, GatewayRotation] = Field(
        default_factory=dict,
        description="State of every gateway, by name of its WorkerSliceGateway. Empty where there are over 1000.",
    )
    status_history: dict[str, list[GatewayRotation]] = Field(
        default_factory=dict,
        description="The last five states of every gateway, newest first. Empty where there are over 1000.",
    )
    planes: list[PlaneRotation] = Field(
        default_factory=list, description="Keys of every plane.", json_schema_extra=map_list("plane")
    )
    keys: list[KeyRecord] = Field(
        default_factory=list, description="Keys that were accepted: those in force and the last ones before them."
    )


class VpnKeyRotation(Kind):
    """The age of a slice's keys, and their renewal."""

    model_config = ConfigDict(json_schema_extra=NAME_RULES)
    resource = VPNKEYROTATIONS
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Rotations", ".spec.rotationCount", type="integer"),
        Column("Next", ".spec.certificateExpiryTime"),
        *STATE_COLUMNS,
    )

    spec: VpnKeyRotationSpec = Field(default_factory=VpnKeyRotationSpec, description="When keys are renewed.")
    status: VpnKeyRotationStatus = Field(default_factory=VpnKeyRotationStatus, description="How that goes.")
