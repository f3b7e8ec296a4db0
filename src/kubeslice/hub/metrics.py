"""What the hub measures of what it looks after, beside the counts that every controller has."""

from kubeslice.plan.standing import Standing
from kubeslice.runtime.metrics import CollectorRegistry, Gauge


class HubMetrics:
    """Gauges by project; those of an object that is gone go with it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tunnels = Gauge(
            "kubeslice_hub_slice_tunnels",
            "Tunnel ends of a slice, as wanted and as up.",
            ["slice_project", "slice", "state"],
            registry=registry,
        )
        self._reachable = Gauge(
            "kubeslice_hub_cluster_reachable",
            "Whether the worker of a cluster reports.",
            ["slice_project", "slice_cluster"],
            registry=registry,
        )

    def slice_stands(self, project: str, name: str, standing: Standing) -> None:
        """Count the tunnels of a slice."""
        self._tunnels.labels(project, name, "wanted").set(standing.tunnels_wanted)
        self._tunnels.labels(project, name, "up").set(standing.tunnels_up)

    def slice_gone(self, project: str, name: str) -> None:
        """Forget a slice."""
        for state in ("wanted", "up"):
            self._tunnels.remove(project, name, state)

    def cluster_heard(self, project: str, name: str, *, is_reachable: bool) -> None:
        """Tell whether a cluster is reachable."""
        self._reachable.labels(project, name).set(is_reachable)

    def cluster_gone(self, project: str, name: str) -> None:
        """Forget a cluster."""
        self._reachable.remove(project, name)
