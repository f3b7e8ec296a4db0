"""The dashboard is up to date, asks for metrics that exist, and puts no panel over another."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

from kubeslice.manifests import committed
from kubeslice.reference import dashboard

DOCS = Path(__file__).parents[2] / "docs"
SUFFIXES = ("_bucket", "_sum", "_count")


def test_the_committed_dashboard_is_up_to_date() -> None:
    assert committed.stale(DOCS / "dashboards", dashboard.files()) == []


def test_every_metric_that_the_dashboard_asks_for_is_in_the_reference() -> None:
    known = set(re.findall(r"`(kubeslice_\w+)`", (DOCS / "reference" / "metrics.md").read_text()))
    assert len(known) > 20
    text = json.dumps(json.loads(dashboard.files()["kubeslice.json"]))
    asked = set(re.findall(r"kubeslice_\w+", text))
    plain = {next((name.removesuffix(end) for end in SUFFIXES if name.endswith(end)), name) for name in asked}
    assert plain - known == set()
    assert len(plain) > 15


def test_no_panel_covers_another() -> None:
    def overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
        return all(
            one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
            for start, size in (("x", "w"), ("y", "h"))
        )

    places = [panel["gridPos"] for panel in dashboard.dashboard()["panels"]]
    assert all(place["x"] + place["w"] <= dashboard.WIDTH for place in places)
    assert not [pair for pair in combinations(places, 2) if overlap(*pair)]
