"""Pods that are attached to a slice, as the statuses of Slice and WorkerSliceConfig list them."""

from pydantic import Field

from kubeslice.model.base import KubeModel


class AppPod(KubeModel):
    """A pod on a slice."""

    pod_name: str = Field(default="", description="Name of the pod.")
    pod_namespace: str = Field(default="", description="Namespace of the pod.")
    pod_ip: str = Field(default="", description="Address of the pod in its cluster.")
    nsm_ip: str = Field(default="", description="Address of the pod in the slice.")
    nsm_interface: str = Field(default="", description="Interface of the pod in the slice.")
    nsm_peer_ip: str = Field(default="", description="Next hop of the pod in the slice.")


class OnboardedNamespace(KubeModel):
    """A namespace whose pods are on a slice."""

    name: str = Field(default="", description="Name of the namespace.")
