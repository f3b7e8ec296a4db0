"""What a benchmark says: metrics beside their baselines and budgets, as a table for people or one JSON object."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

from kubeslice.bench import table
from kubeslice.bench.metric import Metric
from kubeslice.stage.probes import NotMeasured


@dataclass(frozen=True)
class Report:
    """The outcome of one benchmark, with the raw samples its figures were taken from."""

    bench: str
    metrics: Mapping[str, Metric]
    samples: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def is_ok(self) -> bool:
        """Tell whether every budget holds."""
        return all(metric.is_ok for metric in self.metrics.values())

    def wire(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "bench": self.bench,
            "metrics": {name: metric.wire() for name, metric in self.metrics.items()},
            "samples": {name: list(values) for name, values in self.samples.items()},
        }

    def table(self) -> Table:
        """Return the table for people."""
        return table.of_metrics(self.bench, self.metrics)


def median(values: Sequence[float]) -> float:
    """Return the median. Raises `NotMeasured` without samples."""
    if not values:
        raise NotMeasured("no sample was taken")
    return statistics.median(values)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile. Raises `NotMeasured` without samples."""
    if not values:
        raise NotMeasured("no sample was taken")
    ordered = sorted(values)
    return ordered[max(1, math.ceil(percent / 100 * len(ordered))) - 1]
