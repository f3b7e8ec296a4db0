"""What the hub measures of what it looks after, beside the counts that every controller has."""

from collections.abc import Sequence
from datetime import datetime

from kubeslice.hub.poolmetrics import PoolMetrics
from kubeslice.hub.quotametrics import QuotaMetrics
from kubeslice.plan.hub.standing import Standing
from kubeslice.plan.keys import rotation
from kubeslice.plan.keys.rotation import Plane, Schedule
from kubeslice.runtime.metrics import CollectorRegistry, Gauge


class HubMetrics:
    """Gauges by project; those of an object that is gone go with it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.pools = PoolMetrics(registry)
        self.quotas = QuotaMetrics(registry)
        self.leading = Gauge("kubeslice_hub_leading", "1 while this replica leads.", registry=registry)
        self._tunnels = Gauge(
            "kubeslice_hub_slice_tunnels",
            "Tunnel ends of a slice, as wanted and as up.",
            ["slice_project", "slice", "state"],
            registry=registry,
        )
        self._ready = Gauge(
            "kubeslice_hub_slice_ready",
            "1 while every two clusters of a slice that should reach each other do.",
            ["slice_project", "slice"],
            registry=registry,
        )
        self._members = Gauge(
            "kubeslice_hub_slice_clusters",
            "Clusters of a slice, as wanted and as ready.",
            ["slice_project", "slice", "state"],
            registry=registry,
        )
        self._reachable = Gauge(
            "kubeslice_hub_cluster_reachable",
            "1 while the worker of a cluster reports, 0 when it has stopped; nothing while none has joined or may.",
            ["slice_project", "slice_cluster"],
            registry=registry,
        )
        self._registered = Gauge(
            "kubeslice_hub_cluster_ready",
            "1 while a cluster is registered and all is well with it.",
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

    def end_term(self) -> None:
        """Forget everything: whoever leads from now on tells it."""
        self.leading.set(0)
        for metrics in (self, self.pools, self.quotas):
            for gauge in vars(metrics).values():
                if isinstance(gauge, Gauge) and gauge is not self.leading:
                    gauge.clear()

    def slice_stands(self, project: str, name: str, standing: Standing, *, is_ready: bool) -> None:
        """Count the clusters and tunnels of a slice."""
        self._ready.labels(project, name).set(is_ready)
        self._members.labels(project, name, "wanted").set(len(standing.members))
        self._members.labels(project, name, "ready").set(sum(member.is_ready for member in standing.members))
        self._tunnels.labels(project, name, "wanted").set(standing.tunnels_wanted)
        self._tunnels.labels(project, name, "up").set(standing.tunnels_up)

    def slice_gone(self, project: str, name: str) -> None:
        """Forget a slice."""
        self._ready.remove(project, name)
        for gauge, reached in ((self._tunnels, "up"), (self._members, "ready")):
            for state in ("wanted", reached):
                gauge.remove(project, name, state)
        self.pools.gone((project, name))

    def keys_stand(self, project: str, name: str, planes: Sequence[Plane], plan: Schedule, now: datetime) -> None:
        """Tell how a slice's keys are renewed."""
        self._late.labels(project, name).set(sum(rotation.is_late(plane, plan, now) for plane in planes))
        self._expiry.labels(project, name).set(min(plan.expiry(plane) for plane in planes).timestamp())

    def keys_gone(self, project: str, name: str) -> None:
        """Forget the keys of a slice."""
        self._late.remove(project, name)
        self._expiry.remove(project, name)

    def cluster_stands(self, project: str, name: str, heard: str, *, is_ready: bool) -> None:
        """Tell whether a cluster is `heard` of (its condition's status), and whether all is well with it."""
        self._registered.labels(project, name).set(is_ready)
        if heard == "Unknown":
            self._reachable.remove(project, name)
        else:
            self._reachable.labels(project, name).set(heard == "True")

    def credential_held(self, project: str, name: str, until: datetime | None) -> None:
        """Tell until when a worker has a credential of its own."""
        self._credential.labels(project, name).set(until.timestamp() if until else 0)

    def cluster_gone(self, project: str, name: str) -> None:
        """Forget a cluster."""
        self._credential.remove(project, name)
        self._reachable.remove(project, name)
        self._registered.remove(project, name)
