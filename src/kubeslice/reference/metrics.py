"""The page of the metrics, from the objects that the components count with, each in a registry of its own."""

from collections.abc import Callable, Iterator

from kubeslice.dns.metrics import DnsMetrics
from kubeslice.gateway.report import Metrics as GatewayMetrics
from kubeslice.hub.metrics import HubMetrics
from kubeslice.reference import markdown
from kubeslice.router.metrics import RouterMetrics
from kubeslice.runtime.metrics import CollectorRegistry, ControllerMetrics
from kubeslice.webhook.server import Reviews
from kubeslice.worker.metrics import WorkerMetrics

Definitions = Callable[[CollectorRegistry], object]
Row = tuple[str, str, str, str]

COMPONENTS: dict[str, Definitions] = {
    "hub": HubMetrics,
    "worker": WorkerMetrics,
    "gateway": GatewayMetrics,
    "router": RouterMetrics,
    "dns": DnsMetrics,
    "webhook": Reviews,
}


def page() -> str:
    """Return the page of all metrics."""
    parts = [part for name, metrics in COMPONENTS.items() for part in (f"## {name}", _table(metrics))]
    return markdown.page(
        "Metrics",
        "Every component answers `/metrics`, `/healthz` and `/readyz` on its health port: 8081, the agent 9479.",
        "## every component",
        _table(ControllerMetrics),
        *parts,
    )


def _table(metrics: Definitions) -> str:
    registry = CollectorRegistry()
    metrics(registry)
    return markdown.table(("metric", "type", "labels", "what"), _rows(registry))


def _rows(registry: CollectorRegistry) -> Iterator[Row]:
    # What a metric is labelled with is not part of what it exposes before it has values.
    labels = {name: metric._labelnames for metric, names in registry._collector_to_names.items() for name in names}  # type: ignore[attr-defined]  # noqa: SLF001
    for family in registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        listed = ", ".join(markdown.code(label) for label in labels[family.name])
        yield markdown.code(name), family.type, listed, family.documentation
