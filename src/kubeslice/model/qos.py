"""Bandwidth and priority of a slice, as SliceQoSConfig, SliceConfig and what is derived from them hold it."""

from typing import Literal

from pydantic import ConfigDict, Field

from kubeslice.model.base import KubeModel, Rule, rules

DscpClass = Literal[
    "Default", "AF11", "AF12", "AF13", "AF21", "AF22", "AF23", "AF31", "AF32", "AF33", "AF41", "AF42", "AF43", "EF"
]  # fmt: skip

GUARANTEED_WITHIN_CEILING = rules(
    Rule(
        "self.bandwidthGuaranteedKbps <= self.bandwidthCeilingKbps",
        "bandwidthGuaranteedKbps is above bandwidthCeilingKbps: lower the guaranteed bandwidth or raise the ceiling",
    )
)


class QosProfile(KubeModel):
    """Bandwidth and priority of a slice's traffic between clusters."""

    model_config = ConfigDict(json_schema_extra=GUARANTEED_WITHIN_CEILING)

    queue_type: Literal["HTB"] = Field(default="HTB", description="Queueing discipline; HTB is the only one.")
    tc_type: Literal["BANDWIDTH_CONTROL"] = Field(
        default="BANDWIDTH_CONTROL", description="Kind of traffic control; BANDWIDTH_CONTROL is the only one."
    )
    priority: int = Field(
        description="Who borrows spare bandwidth first; lower goes first.", ge=0, json_schema_extra={"format": "int32"}
    )
    bandwidth_ceiling_kbps: int = Field(description="Most bandwidth the slice may use, in kbit/s.", ge=0)
    bandwidth_guaranteed_kbps: int = Field(description="Bandwidth the slice always gets, in kbit/s.", ge=0)
    dscp_class: DscpClass = Field(description="DSCP class written on the tunnel's packets.")


class ResolvedQosProfile(KubeModel):
    """The QoS profile of a slice after a named profile was looked up."""

    queue_type: str = Field(default="HTB", description="Queueing discipline.")
    tc_type: str = Field(default="", description="Kind of traffic control.")
    priority: int | None = Field(default=None, description="Who borrows spare bandwidth first; lower goes first.")
    bandwidth_ceiling_kbps: int | None = Field(default=None, description="Most bandwidth in kbit/s.")
    bandwidth_guaranteed_kbps: int | None = Field(default=None, description="Bandwidth always given in kbit/s.")
    dscp_class: DscpClass | None = Field(default=None, description="DSCP class written on the tunnel's packets.")
