"""SliceIpam: the pool of a slice with dynamic addresses: which cluster has, or had, which part. Written by the hub."""

from typing import ClassVar, Literal

from pydantic import Field

from kubeslice.model.base import STATE_COLUMNS, Column, Kind, KubeModel, Status, Timestamp, map_list
from kubeslice.model.resources import SLICEIPAMS
from kubeslice.model.slicerules import PART_RULES

DYNAMIC = "Dynamic"
IPAM_TYPES = ("Local", "Static", DYNAMIC)  # the first two mean the same: equal parts
DEFAULT_PART_PREFIX = 24
PartState = Literal["Allocated", "InUse", "Released"]


class SliceIpamSpec(KubeModel):
    """How the slice's subnet is cut."""

    slice_name: str = Field(default="", description="Slice of the addresses; the name of this object too.")
    slice_subnet: str = Field(default="", description="Subnet of the whole slice; it may grow at its end.")
    subnet_size: int = Field(
        default=DEFAULT_PART_PREFIX,
        description="Prefix length of the part of each cluster.",
        ge=16,
        le=30,
        json_schema_extra=PART_RULES,
    )


class ClusterSubnet(KubeModel):
    """A part of the subnet, and the cluster that has or had it."""

    cluster_name: str = Field(description="Name of the cluster.")
    subnet: str = Field(description="The part.")
    allocated_at: Timestamp = Field(default="", description="When the cluster got it.")
    status: PartState = Field(
        default="Allocated",
        description="Allocated to a member, InUse since its worker reported, or Released by a cluster that left.",
    )
    released_at: Timestamp = Field(
        default="", description="When the cluster had left; others can get the part 24 hours later."
    )


class SliceIpamStatus(Status):
    """Which parts are taken."""

    allocated_subnets: list[ClusterSubnet] = Field(
        default_factory=list,
        description="Parts that a cluster has, or had in the last 24 hours.",
        json_schema_extra=map_list("clusterName"),
    )
    available_subnets: int = Field(default=0, description="Parts that a new member could get.")
    total_subnets: int = Field(default=0, description="Parts of the subnet.")
    last_updated: Timestamp = Field(default="", description="When a part was last given out or released.")


class SliceIpam(Kind):
    """The parts of a slice's subnet, given out to clusters one by one."""

    resource = SLICEIPAMS
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Subnet", ".spec.sliceSubnet"),
        Column("Size", ".spec.subnetSize", type="integer"),
        Column("Total", ".status.totalSubnets", type="integer"),
        Column("Available", ".status.availableSubnets", type="integer"),
        *STATE_COLUMNS,
    )

    spec: SliceIpamSpec = Field(default_factory=SliceIpamSpec, description="How the subnet is cut.")
    status: SliceIpamStatus = Field(default_factory=SliceIpamStatus, description="Which parts are taken.")
