"""Metrics beside their baselines and budgets, as a table for people."""

from collections.abc import Mapping

from rich.table import Table

from kubeslice.bench.metric import Metric


def of_metrics(bench: str, metrics: Mapping[str, Metric]) -> Table:
    """Return the table of a benchmark's metrics."""
    table = Table(title=f"kubeslice bench {bench}", title_justify="left")
    for heading in ("metric", "value", "baseline", "ratio", "budget", ""):
        table.add_column(heading, justify="left" if heading in ("metric", "") else "right")
    for name, metric in metrics.items():
        table.add_row(name, *_cells(metric))
    return table


def _cells(metric: Metric) -> tuple[str, str, str, str, str]:
    baseline = f"{figure(metric.baseline)} {metric.unit}" if metric.baseline is not None else ""
    ratio = f"{metric.ratio:.2f} x" if metric.ratio is not None else ""
    verdict = "" if metric.budget is None else "[green]met[/]" if metric.is_ok else "[red]missed[/]"
    return f"{figure(metric.value)} {metric.unit}", baseline, ratio, budget_text(metric), verdict


def budget_text(metric: Metric) -> str:
    """Return a metric's budget for people, "" when it has none."""
    if metric.budget is None:
        return ""
    unit = "x" if metric.budget.on_ratio else metric.unit
    return f"{metric.budget.bound.value} {figure(metric.budget.limit)} {unit}"


def figure(value: float) -> str:
    """Return a number with as many digits as people read: 12,345, 12.3, 0.123."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
