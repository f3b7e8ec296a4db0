"""SliceResourceQuota: what a slice may use. Written by users under the slice's name, read by `hub.quotas`."""

from typing import ClassVar

from pydantic import Field

from kubeslice.model.base import STATE_COLUMNS, Column, Kind, KubeModel, Status, map_list
from kubeslice.model.quotas import MAX_LIMITED_NAMESPACES, ClusterLimits, NamespaceLimits, TotalLimits
from kubeslice.model.resources import SLICERESOURCEQUOTAS

MAX_LIMITED_CLUSTERS = 513
MAX_LISTED = 256


class SliceResourceQuotaSpec(KubeModel):
    """What a slice may use: as a whole, in each cluster, in each namespace.

    What is limited further up and has no entry further down is shared out evenly.
    """

    slice_quota: TotalLimits | None = Field(default=None, description="For the whole slice, all clusters together.")
    cluster_quota: list[ClusterLimits] = Field(
        default_factory=list,
        description="For single clusters.",
        max_length=MAX_LIMITED_CLUSTERS,
        json_schema_extra=map_list("cluster"),
    )
    namespace_quota: list[NamespaceLimits] = Field(
        default_factory=list,
        description="For single namespaces, in each of their clusters.",
        max_length=MAX_LIMITED_NAMESPACES,
        json_schema_extra=map_list("namespace"),
    )


class ClusterUsage(KubeModel):
    """A slice in one cluster: what it may use and what it uses."""

    cluster: str = Field(description="Name of the cluster.")
    hard: dict[str, str] = Field(default_factory=dict, description="Limits, by resource.")
    used: dict[str, str] = Field(default_factory=dict, description="Use, by resource.")


class NamespaceUsage(KubeModel):
    """A namespace of a slice in one cluster: what it may use and what it uses."""

    cluster: str = Field(description="Name of the cluster.")
    namespace: str = Field(description="Name of the namespace.")
    hard: dict[str, str] = Field(default_factory=dict, description="Limits, by resource.")
    used: dict[str, str] = Field(default_factory=dict, description="Use, by resource.")
    fair_share: list[str] = Field(
        default_factory=list, description="Resources of which it has an even share, because no entry names it."
    )


class SliceResourceQuotaStatus(Status):
    """What a slice uses."""

    hard: dict[str, str] = Field(default_factory=dict, description="Limits of the whole slice, by resource.")
    used: dict[str, str] = Field(default_factory=dict, description="Use of the whole slice, by resource.")
    fullest: str = Field(default="", description="The resource of which most is used, such as pods 80%.")
    clusters: list[ClusterUsage] = Field(
        default_factory=list, description="Use of each cluster.", json_schema_extra=map_list("cluster")
    )
    namespaces: list[NamespaceUsage] = Field(
        default_factory=list,
        description=f"Use of each namespace, the fullest first, at most {MAX_LISTED}.",
        max_length=MAX_LISTED,
        json_schema_extra=map_list("cluster", "namespace"),
    )


class SliceResourceQuota(Kind):
    """What a slice may use, and what it uses."""

    resource = SLICERESOURCEQUOTAS
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Fullest", ".status.fullest"),
        *STATE_COLUMNS,
    )

    spec: SliceResourceQuotaSpec = Field(default_factory=SliceResourceQuotaSpec, description="What may be used.")
    status: SliceResourceQuotaStatus = Field(default_factory=SliceResourceQuotaStatus, description="What is used.")
