"""The metrics every controller has. Units are in the names, as the Prometheus naming guide asks.

A `Registry` is made in `main` and handed down, so that tests count in registries of their own.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

__all__ = ["CollectorRegistry", "ControllerMetrics", "Counter", "Gauge", "Histogram", "render"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class ControllerMetrics:
    """Counts and times of reconciles, by controller."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.reconciles = Counter(
            "kubeslice_reconciles_total", "Reconciles by outcome.", ["controller", "outcome"], registry=registry
        )
        self.seconds = Histogram(
            "kubeslice_reconcile_duration_seconds", "Time of one reconcile.", ["controller"], registry=registry
        )
        self.waiting = Gauge(
            "kubeslice_queue_length", "Keys that wait for a reconcile.", ["controller"], registry=registry
        )


def render(registry: CollectorRegistry) -> bytes:
    """Return the exposition text of all metrics."""
    return generate_latest(registry)
