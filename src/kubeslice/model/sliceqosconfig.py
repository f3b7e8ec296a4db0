"""SliceQoSConfig: a QoS profile that slices name. Written by users, `default` by `hub.project`."""

from typing import ClassVar

from pydantic import Field

from kubeslice.model.base import AGE_COLUMN, Column, Kind, Status
from kubeslice.model.qos import QosProfile
from kubeslice.model.resources import SLICEQOSCONFIGS


class SliceQoSConfig(Kind):
    """Bandwidth and priority that any slice of the project can name."""

    resource = SLICEQOSCONFIGS
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Guaranteed", ".spec.bandwidthGuaranteedKbps", type="integer", description="kbit/s"),
        Column("Ceiling", ".spec.bandwidthCeilingKbps", type="integer", description="kbit/s"),
        Column("Priority", ".spec.priority", type="integer"),
        Column("DSCP", ".spec.dscpClass"),
        AGE_COLUMN,
    )

    spec: QosProfile = Field(description="The profile.")
    status: Status = Field(default_factory=Status, description="What the hub says about the profile.")
