"""Budgets decide, figures are read right, and the JSON has the promised shape."""

import json

import pytest

from kubeslice.bench.metric import Bound, Budget, Metric
from kubeslice.bench.report import Report, median, percentile
from kubeslice.stage.probes import NotMeasured


@pytest.mark.parametrize(
    ("metric", "is_ok"),
    [
        (Metric(2.0, "s", budget=Budget(Bound.AT_MOST, 3.0)), True),
        (Metric(4.0, "s", budget=Budget(Bound.AT_MOST, 3.0)), False),
        (Metric(96.0, "Mbit/s", 100.0, Budget(Bound.AT_LEAST, 0.95, on_ratio=True)), True),
        (Metric(90.0, "Mbit/s", 100.0, Budget(Bound.AT_LEAST, 0.95, on_ratio=True)), False),
        (Metric(90.0, "Mbit/s", None, Budget(Bound.AT_LEAST, 0.95, on_ratio=True)), False),
        (Metric(1.0, "s"), True),
    ],
)
def test_a_budget_decides(metric: Metric, is_ok: bool) -> None:
    assert metric.is_ok is is_ok
    assert Report("x", {"m": metric}).is_ok is is_ok


def test_the_json_form_has_every_promised_key() -> None:
    metric = Metric(1.0, "s", 2.0, Budget(Bound.AT_MOST, 3.0))
    wire = json.loads(json.dumps(Report("export", {"m": metric}, {"s": [1.0]}).wire()))
    assert wire == {
        "bench": "export",
        "metrics": {"m": {"value": 1.0, "unit": "s", "baseline": 2.0, "ratio": 0.5, "budget": 3.0, "ok": True}},
        "samples": {"s": [1.0]},
    }


def test_percentiles_are_nearest_rank() -> None:
    values = [float(value) for value in range(1, 101)]
    assert percentile(values, 99) == 99.0
    assert percentile(values, 100) == 100.0
    assert percentile([5.0], 99) == 5.0


def test_no_sample_is_no_figure() -> None:
    with pytest.raises(NotMeasured):
        median([])
    with pytest.raises(NotMeasured):
        percentile([], 50)
