"""Limits on what a slice may use, as SliceResourceQuota, WorkerSliceConfig and Slice hold them."""

from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from kubeslice.model.base import KubeModel, Label, map_list

MAX_LIMITED_NAMESPACES = 1024
PATTERN = "^[0-9]+([.][0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$"

# As in other kinds of Kubernetes: `2`, `"2"`, `500m`, `4Gi`.
Quantity = Annotated[
    str, BeforeValidator(str), WithJsonSchema({"x-kubernetes-int-or-string": True, "pattern": PATTERN, "maxLength": 32})
]


class Amounts(KubeModel):
    """Processors and memory."""

    cpu: Quantity = Field(default="", description="Processors, such as 2 or 500m.")
    memory: Quantity = Field(default="", description="Memory, such as 4Gi.")


class Limits(KubeModel):
    """What may be used; what is left out is not limited here."""

    requests: Amounts | None = Field(default=None, description="What the containers of all pods may request together.")
    limits: Amounts | None = Field(default=None, description="What their limits may add up to.")
    pods: int | None = Field(default=None, description="Pods that have not ended.", ge=0)
    exported_services: int | None = Field(default=None, description="ServiceExports.", ge=0)


class TotalLimits(Limits):
    """What may be used, traffic included."""

    bandwidth_ceiling_kbps: int | None = Field(
        default=None,
        description="Most bandwidth of the slice out of each cluster, in kbit/s; caps the QoS profile.",
        ge=1,
    )


class ClusterLimits(TotalLimits):
    """What may be used in one cluster."""

    cluster: str = Field(description='Member cluster, "*" for each without an entry.', min_length=1, max_length=63)


class NamespaceLimits(Limits):
    """What may be used in one namespace of each of some clusters."""

    namespace: str = Field(description="Name of the namespace.", min_length=1, max_length=63)
    clusters: list[Label] = Field(
        default_factory=lambda: ["*"],
        description='Member clusters in which the namespace is meant; "*" alone means all.',
        max_length=512,
    )


class NamespacePart(KubeModel):
    """What one namespace may use in one cluster."""

    namespace: str = Field(description="Name of the namespace.")
    hard: dict[str, str] = Field(default_factory=dict, description="Limits, as in a ResourceQuota.")
    exported_services: int | None = Field(default=None, description="ServiceExports it may have.")


class QuotaPart(KubeModel):
    """What a slice may use in one cluster."""

    exported_services: int | None = Field(default=None, description="ServiceExports it may have in this cluster.")
    bandwidth_ceiling_kbps: int | None = Field(default=None, description="Most bandwidth in kbit/s.")
    namespaces: list[NamespacePart] = Field(
        default_factory=list,
        description="Limits of each namespace.",
        json_schema_extra=map_list("namespace"),
        max_length=MAX_LIMITED_NAMESPACES,
    )


class NamespaceUse(KubeModel):
    """What one namespace uses in one cluster."""

    namespace: str = Field(description="Name of the namespace.")
    hard: dict[str, str] = Field(default_factory=dict, description="Limits in force.")
    used: dict[str, str] = Field(default_factory=dict, description="What is used.")
    exported_services: int = Field(default=0, description="ServiceExports it has.")


class QuotaUse(KubeModel):
    """What a slice uses in one cluster."""

    namespaces: list[NamespaceUse] = Field(
        default_factory=list, description="Use of each namespace.", json_schema_extra=map_list("namespace")
    )
