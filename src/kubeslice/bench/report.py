"""What a benchmark says: metrics beside their baselines and budgets, as a table for people or one JSON object."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from kubeslice.stage.probes import NotMeasured


class Bound(Enum):
    """Which side of its budget a figure has to stay on."""

    AT_MOST = "≤"
    AT_LEAST = "≥"


@dataclass(frozen=True)
class Budget:
    """A limit on a metric's value or, when there is a baseline and `on_ratio`, on value ÷ baseline."""

    bound: Bound
    limit: float
    on_ratio: bool = False

    def holds(self, value: float, ratio: float | None) -> bool:
        """Tell whether the figure keeps the budget; a missing ratio does not."""
        figure = ratio if self.on_ratio else value
        if figure is None:
            return False
        return figure <= self.limit if self.bound is Bound.AT_MOST else figure >= self.limit


@dataclass(frozen=True)
class Metric:
    """One figure: `value` in `unit`, compared with `baseline` in the same unit where there is one."""

    value: float
    unit: str
    baseline: float | None = None
    budget: Budget | None = None

    @property
    def ratio(self) -> float | None:
        """Return value ÷ baseline."""
        return self.value / self.baseline if self.baseline else None

    @property
    def is_ok(self) -> bool:
        """Tell whether the budget holds; without one there is nothing to miss."""
        return self.budget is None or self.budget.holds(self.value, self.ratio)

    def wire(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "value": self.value,
            "unit": self.unit,
            "baseline": self.baseline,
            "ratio": self.ratio,
            "budget": self.budget.limit if self.budget else None,
            "ok": self.is_ok,
        }


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
