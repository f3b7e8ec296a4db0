"""A figure beside its baseline and its budget. Pure."""

from dataclasses import dataclass
from enum import Enum
from typing import Any


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
