"""What KubeSlice DNS counts about itself; the answers themselves are counted by the name server."""

from kubeslice.runtime.metrics import CollectorRegistry, Counter, Gauge, Histogram


class DnsMetrics:
    """The metrics of one DNS process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.records = Gauge("kubeslice_dns_records", "Records in the zone.", registry=registry)
        self.restarts = Counter("kubeslice_dns_server_restarts_total", "Starts after a failure.", registry=registry)
        self.seconds = Histogram(
            "kubeslice_dns_change_duration_seconds",
            "Time to make a change of the zone visible.",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
            registry=registry,
        )
