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
        self.partner = Gauge(
            "kubeslice_router_partner_up",
            "1 while the BGP session with the other router of this cluster is established.",
            registry=registry,
        )
        self.next_hop = Gauge(
            "kubeslice_router_next_hop",
            "1 while this router holds virtual next hop 0 or 1.",
            ["number"],
            registry=registry,
        )
        self.restarts = Gauge("kubeslice_router_bird_restarts", "How often BIRD was started again.", registry=registry)
        self.keepalived_restarts = Gauge(
            "kubeslice_router_keepalived_restarts", "How often keepalived was started again.", registry=registry
        )
