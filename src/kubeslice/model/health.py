"""Health of the components of a cluster or slice, in the form the Go implementation's users read it."""

from typing import Literal

from pydantic import Field

from kubeslice.model.base import KubeModel, Timestamp


class ComponentStatus(KubeModel):
    """Health of one component."""

    component: str = Field(description="Name of the component.")
    component_health_status: Literal["Normal", "Warning", "Error"] = Field(description="How it is.")


class ClusterHealth(KubeModel):
    """Health of a worker cluster."""

    cluster_health_status: Literal["Normal", "Warning"] | None = Field(
        default=None, description="Normal when every component is."
    )
    component_statuses: list[ComponentStatus] = Field(default_factory=list, description="Health of each component.")
    last_updated: Timestamp = Field(default="", description="When this was last found out.")


class SliceHealth(KubeModel):
    """Health of a slice in one cluster."""

    slice_health_status: Literal["Normal", "Warning"] | None = Field(
        default=None, description="Normal when every component is."
    )
    component_statuses: list[ComponentStatus] = Field(default_factory=list, description="Health of each component.")
    last_updated: Timestamp = Field(default="", description="When this was last found out.")
