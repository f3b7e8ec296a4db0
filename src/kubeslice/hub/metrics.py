"""What the hub measures of what it looks after, beside the counts that every controller has."""

from collections.abc import Sequence
from datetime import datetime

from kubeslice.plan import rotation
from kubeslice.plan.rotation import Plane, Schedule
from kubeslice.plan.standing import Standing
from kubeslice.runtime.metrics import CollectorRegistry, Gauge


class HubMetrics:
    """Gauges by project; those of an object that is gone go with it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.leading = Gauge("kubeslice_hub_leading", "1 while this replica leads.", registry=registry)
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

        self._late = Gauge(
            "kubeslice_hub_slice_rotation_late",
            "Planes of a slice whose old keys cannot be retired in time.",
            ["slice_project", "slice"],
            registry=registry,
        )
        self._expiry = Gauge(
            "kubeslice_hub_slice_keys_expire_seconds",
            "When the first keys of a slice end to be valid, in seconds since 1970.",
            ["slice_project", "slice"],
            registry=registry,
        )

        self._credential = Gauge(
            "kubeslice_hub_cluster_credential_expires_seconds",
            "When the credential that a worker got for itself ends, in seconds since 1970; 0: it has none.",
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

    def keys_stand(self, project: str, name: str, planes: Sequence[Plane], plan: Schedule, now: datetime) -> None:
        """Tell how a slice's keys are renewed."""
        self._late.labels(project, name).set(sum(rotation.is_late(plane, plan, now) for plane in planes))
        self._expiry.labels(project, name).set(min(plan.expiry(plane) for plane in planes).timestamp())

    def keys_gone(self, project: str, name: str) -> None:
        """Forget the keys of a slice."""
        self._late.remove(project, name)
        self._expiry.remove(project, name)

    def cluster_heard(self, project: str, name: str, *, is_reachable: bool) -> None:
        """Tell whether a cluster is reachable."""
        self._reachable.labels(project, name).set(is_reachable)

    def credential_held(self, project: str, name: str, until: datetime | None) -> None:
        """Tell until when a worker has a credential of its own."""
        self._credential.labels(project, name).set(until.timestamp() if until else 0)

    def cluster_gone(self, project: str, name: str) -> None:
        """Forget a cluster."""
        self._credential.remove(project, name)
        self._reachable.remove(project, name)
