"""What the operator counts beside the metrics every controller has."""

import contextlib

from kubeslice.runtime.metrics import CollectorRegistry, Counter, Gauge


class WorkerMetrics:
    """The metrics of one operator."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.hub_reachable = Gauge(
            "kubeslice_worker_hub_reachable", "1 while the hub answers and accepts the credential.", registry=registry
        )
        self.hub_credential_expires = Gauge(
            "kubeslice_worker_hub_credential_expires_seconds",
            "When the credential for the hub ends, in seconds since 1970; 0: never, or unknown.",
            registry=registry,
        )
        self.hub_credential_failures = Counter(
            "kubeslice_worker_hub_credential_renewal_failures_total",
            "Tries to renew the credential for the hub that failed.",
            registry=registry,
        )
        self._pods = Gauge("kubeslice_slice_app_pods", "Pods on a slice.", ["slice"], registry=registry)
        self._tunnels = Gauge("kubeslice_slice_tunnels_up", "Tunnels that are up.", ["slice"], registry=registry)

    def observe(self, slice_name: str, pods: int, tunnels: int) -> None:
        """Note how a slice does."""
        self._pods.labels(slice_name).set(pods)
        self._tunnels.labels(slice_name).set(tunnels)

    def forget(self, slice_name: str) -> None:
        """Drop the series of a slice that is gone."""
        for gauge in (self._pods, self._tunnels):
            with contextlib.suppress(KeyError):
                gauge.remove(slice_name)
