"""What a router counts beside the metrics every controller has."""

from kubeslice.runtime.metrics import CollectorRegistry, Gauge


class RouterMetrics:
    """The metrics of one router."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.up = Gauge(
            "kubeslice_router_session_up",
            "1 while a BGP session is established.",
            ["cluster", "plane"],
            registry=registry,
        )
        self.restarts = Gauge("kubeslice_router_bird_restarts", "How often BIRD was started again.", registry=registry)
