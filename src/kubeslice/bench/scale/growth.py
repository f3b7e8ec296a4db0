"""The report of a scale bench: every figure for each number of clusters side by side, with the verdicts. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from kubeslice.bench.metric import Metric
from kubeslice.bench.scale.figures import Figures
from kubeslice.bench.table import budget_text, figure


@dataclass(frozen=True)
class Growth:
    """The figures of all runs, the smallest first."""

    bench: str
    runs: Sequence[Figures]

    @property
    def is_ok(self) -> bool:
        """Tell whether every budget holds in every run."""
        return all(metric.is_ok for metrics in self.metrics for metric in metrics.values())

    @property
    def metrics(self) -> list[Mapping[str, Metric]]:
        """Return the metrics of each run."""
        return [run.metrics(self.runs[0], is_largest=run is self.runs[-1]) for run in self.runs]

    def wire(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "bench": self.bench,
            "runs": [
                {
                    "clusters": run.load.clusters,
                    "slices": run.load.slices,
                    "members": run.load.members,
                    "metrics": {name: metric.wire() for name, metric in metrics.items()},
                    "samples": {"joined (s)": run.absorbed, "left (s)": list(run.left)},
                }
                for run, metrics in zip(self.runs, self.metrics, strict=True)
            ],
        }

    def table(self) -> Table:
        """Return the table for people."""
        table = Table(title=f"kubeslice bench {self.bench}: {self._load()}", title_justify="left")
        table.add_column("metric")
        for run in self.runs:
            table.add_column(f"{run.load.clusters} clusters", justify="right")
        table.add_column("budget", justify="right")
        table.add_column("")
        for name in self.metrics[0]:
            row = [metrics[name] for metrics in self.metrics]
            budget = next((metric for metric in reversed(row) if metric.budget), row[-1])
            table.add_row(name, *map(_cell, row), budget_text(budget), _verdict(row))
        return table

    def _load(self) -> str:
        load = self.runs[-1].load
        return f"{load.slices} slices, the first of all clusters, the others of {load.members} at most"


def _cell(metric: Metric) -> str:
    beside = f" = {metric.ratio:.2f} x {figure(metric.baseline or 0)}" if metric.ratio is not None else ""
    return f"{figure(metric.value)} {metric.unit}{beside}".strip()


def _verdict(row: Sequence[Metric]) -> str:
    if not any(metric.budget for metric in row):
        return ""
    return "[green]met[/]" if all(metric.is_ok for metric in row) else "[red]missed[/]"
