"""What the operator counts beside the metrics every controller has."""

import contextlib
from collections.abc import Mapping

from kubeslice.runtime.metrics import CollectorRegistry, Counter, Gauge

WELL = "Normal"


class WorkerMetrics:
    """The metrics of one operator."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.hub_reachable = Gauge(
            "kubeslice_worker_hub_reachable",
            "1 while the hub of a project answers and accepts the credential.",
            ["project"],
            registry=registry,
        )
        self.hub_credential_expires = Gauge(
            "kubeslice_worker_hub_credential_expires_seconds",
            "When the credential for the hub of a project ends, in seconds since 1970; 0: never, or unknown.",
            ["project"],
            registry=registry,
        )
        self.hub_credential_failures = Counter(
            "kubeslice_worker_hub_credential_renewal_failures_total",
            "Tries to renew the credential for the hub of a project that failed.",
            ["project"],
            registry=registry,
        )
        self._cluster = Gauge(
            "kubeslice_cluster_up", "1 while every component of KubeSlice in the cluster works.", registry=registry
        )
        self._parts = Gauge(
            "kubeslice_cluster_component_up",
            "1 while a component of KubeSlice in the cluster works.",
            ["slice_cluster_component"],
            registry=registry,
        )
        self._slice = Gauge(
            "kubeslice_slice_up", "1 while a slice is ready in this cluster.", ["slice"], registry=registry
        )
        self._slice_parts = Gauge(
            "kubeslice_slice_component_up",
            "1 while a part of a slice works in this cluster.",
            ["slice", "slice_component"],
            registry=registry,
        )
        self._pods = Gauge("kubeslice_slice_app_pods", "Pods on a slice.", ["slice"], registry=registry)
        self._tunnels = Gauge("kubeslice_slice_tunnels_up", "Tunnels that are up.", ["slice"], registry=registry)

    def cluster_stands(self, parts: Mapping[str, str]) -> None:
        """Tell how the components of the cluster do, by name; all is well with those that are Normal."""
        self._cluster.set(all(state == WELL for state in parts.values()))
        for name, state in parts.items():
            self._parts.labels(name).set(state == WELL)

    def slice_stands(self, slice_name: str, parts: Mapping[str, str], *, is_ready: bool) -> None:
        """Tell how the parts of a slice do, by name."""
        self._slice.labels(slice_name).set(is_ready)
        for name, state in parts.items():
            self._slice_parts.labels(slice_name, name).set(state == WELL)

    def observe(self, slice_name: str, pods: int, tunnels: int) -> None:
        """Count what is on a slice."""
        self._pods.labels(slice_name).set(pods)
        self._tunnels.labels(slice_name).set(tunnels)

    def forget(self, slice_name: str) -> None:
        """Drop the series of a slice that is gone."""
        self._slice_parts.remove_by_labels({"slice": slice_name})
        for gauge in (self._slice, self._pods, self._tunnels):
            with contextlib.suppress(KeyError):
                gauge.remove(slice_name)
