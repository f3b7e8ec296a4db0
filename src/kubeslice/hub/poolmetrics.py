"""What the hub measures of the subnets of slices: how many parts there are, and how they come and go."""

from kubeslice.runtime.metrics import CollectorRegistry, Counter, Gauge, Histogram

LABELS = ("slice_project", "slice")


class PoolMetrics:
    """Gauges and counts by slice; those of a slice that is gone go with it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._total = Gauge("kubeslice_ipam_total_subnets", "Parts of a slice's subnet.", LABELS, registry=registry)
        self._allocated = Gauge(
            "kubeslice_ipam_allocated_subnets",
            "Parts of a slice's subnet that clusters have.",
            LABELS,
            registry=registry,
        )
        self._available = Gauge(
            "kubeslice_ipam_available_subnets",
            "Parts of a slice's subnet that a new member could get: neither given out nor resting.",
            LABELS,
            registry=registry,
        )
        self._used = Gauge(
            "kubeslice_ipam_utilization_ratio", "Allocated parts over all parts.", LABELS, registry=registry
        )
        self._allocations = Counter(
            "kubeslice_ipam_allocations_total", "Parts given out, of Dynamic slices.", LABELS, registry=registry
        )
        self._releases = Counter(
            "kubeslice_ipam_releases_total", "Parts released, of Dynamic slices.", LABELS, registry=registry
        )
        self._seconds = Histogram(
            "kubeslice_ipam_allocation_latency_seconds",
            "Time from finding that clusters need parts until these are written down, of Dynamic slices.",
            registry=registry,
        )

    def stand(self, name: tuple[str, str], total: int, allocated: int, available: int) -> None:
        """Tell how many parts of a slice there are, and of which kind."""
        self._total.labels(*name).set(total)
        self._allocated.labels(*name).set(allocated)
        self._available.labels(*name).set(available)
        self._used.labels(*name).set(allocated / total)

    def moved(self, name: tuple[str, str], given: int, released: int, seconds: float) -> None:
        """Count parts that were given out and released, in this time."""
        self._allocations.labels(*name).inc(given)
        self._releases.labels(*name).inc(released)
        if given:
            self._seconds.observe(seconds)

    def gone(self, name: tuple[str, str]) -> None:
        """Forget a slice."""
        for metric in (
            self._total,
            self._allocated,
            self._available,
            self._used,
            self._allocations,
            self._releases,
        ):
            metric.remove(*name)
