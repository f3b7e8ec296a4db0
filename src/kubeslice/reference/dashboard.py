"""The Grafana dashboard: what an operator asks first, from the metrics of hub, workers and gateways.

Called by the generator of `docs/dashboards`. Grafana's dashboard model is what its import form and its provisioning
read: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

WIDTH, HEIGHT = 24, 8
SOURCE = {"type": "prometheus", "uid": "${source}"}
OF_SLICE = 'slice_project=~"$project", slice=~"$slice"'
OF_CLUSTER = 'slice_project=~"$project"'
TUNNELS_DOWN = (
    f'sum(kubeslice_hub_slice_tunnels{{{OF_SLICE}, state="wanted"}}) - '
    f'sum(kubeslice_hub_slice_tunnels{{{OF_SLICE}, state="up"}}) or vector(0)'
)
SLOWEST = "histogram_quantile(0.99, sum by (controller, le) (rate(kubeslice_reconcile_duration_seconds_bucket[5m])))"


@dataclass(frozen=True)
class Panel:
    """One picture: what it asks Prometheus, with the legend of the answers; `unit` is one of Grafana's."""

    title: str
    queries: Sequence[tuple[str, str]]
    unit: str = "short"
    red_below: float | None = None
    red_above: float | None = None


@dataclass(frozen=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: Sequence[Panel]


ROWS = (
    Row(
        "At a glance",
        (
            Panel(
                "Slices not ready",
                [(f"count(kubeslice_hub_slice_ready{{{OF_SLICE}}} == 0) or vector(0)", "")],
                red_above=1,
            ),
            Panel(
                "Clusters not heard of",
                [(f"count(kubeslice_hub_cluster_reachable{{{OF_CLUSTER}}} == 0) or vector(0)", "")],
                red_above=1,
            ),
            Panel(
                "Tunnels down",
                [
                    (TUNNELS_DOWN, ""),
                ],
                red_above=1,
            ),
            Panel("Hubs that lead", [("sum(kubeslice_hub_leading)", "")], red_below=1),
            Panel(
                "First keys end in",
                [(f"min(kubeslice_hub_slice_keys_expire_seconds{{{OF_SLICE}}}) - time()", "")],
                unit="s",
                red_below=600,
            ),
            Panel(
                "First credential ends in",
                [(f"min(kubeslice_hub_cluster_credential_expires_seconds{{{OF_CLUSTER}}} > 0) - time()", "")],
                unit="s",
                red_below=3600,
            ),
        ),
    ),
    Row(
        "Slices",
        (
            Panel(
                "Clusters ready",
                [(f'kubeslice_hub_slice_clusters{{{OF_SLICE}, state="ready"}}', "{{slice_project}}/{{slice}}")],
            ),
            Panel(
                "Tunnels up",
                [(f'kubeslice_hub_slice_tunnels{{{OF_SLICE}, state="up"}}', "{{slice_project}}/{{slice}}")],
            ),
            Panel("Pods on slices", [('sum by (slice) (kubeslice_slice_app_pods{slice=~"$slice"})', "{{slice}}")]),
            Panel(
                "Parts of the subnet in use",
                [(f"kubeslice_ipam_utilization_ratio{{{OF_SLICE}}}", "{{slice_project}}/{{slice}}")],
                unit="percentunit",
            ),
            Panel(
                "Limits in use",
                [(f"kubeslice_hub_slice_quota_used_ratio{{{OF_SLICE}}}", "{{slice_project}}/{{slice}} {{resource}}")],
                unit="percentunit",
            ),
            Panel(
                "Planes that cannot retire old keys",
                [(f"kubeslice_hub_slice_rotation_late{{{OF_SLICE}}}", "{{slice_project}}/{{slice}}")],
            ),
        ),
    ),
    Row(
        "Clusters",
        (
            Panel(
                "Heard of by the hub",
                [(f"kubeslice_hub_cluster_reachable{{{OF_CLUSTER}}}", "{{slice_project}}/{{slice_cluster}}")],
            ),
            Panel(
                "Components that do not work", [("kubeslice_cluster_component_up == 0", "{{slice_cluster_component}}")]
            ),
            Panel(
                "Parts of slices that do not work",
                [('kubeslice_slice_component_up{slice=~"$slice"} == 0', "{{slice}} {{slice_component}}")],
            ),
        ),
    ),
    Row(
        "Tunnels",
        (
            Panel("Latency", [("kubeslice_gateway_tunnel_latency_seconds", "{{gateway}}")], unit="s"),
            Panel("Loss", [("kubeslice_gateway_tunnel_loss_ratio", "{{gateway}}")], unit="percentunit"),
            Panel("Traffic", [("rate(kubeslice_gateway_tunnel_sent_bytes[2m])", "{{gateway}}")], unit="Bps"),
        ),
    ),
    Row(
        "Controllers",
        (
            Panel(
                "Reconciles that failed",
                [('sum by (controller) (rate(kubeslice_reconciles_total{outcome="error"}[5m]))', "{{controller}}")],
                unit="ops",
            ),
            Panel(
                "Time of a reconcile, p99",
                [
                    (SLOWEST, "{{controller}}"),
                ],
                unit="s",
            ),
            Panel("Keys that wait", [("sum by (controller) (kubeslice_queue_length)", "{{controller}}")]),
        ),
    ),
)


def files() -> dict[str, str]:
    """Return the dashboard by its file name."""
    return {"kubeslice.json": json.dumps(dashboard(), indent=2) + "\n"}


def dashboard() -> Object:
    """Return the dashboard as Grafana imports it."""
    return {
        "uid": "kubeslice",
        "title": "KubeSlice",
        "tags": ["kubeslice"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_source(), _choice("project", "slice_project"), _choice("slice", "slice")]},
        "panels": [{"id": number, **panel} for number, panel in enumerate(_panels(), 1)],
    }


def expressions() -> list[str]:
    """Return everything that the dashboard asks Prometheus."""
    return [expression for row in ROWS for panel in row.panels for expression, _ in panel.queries]


def _panels() -> Iterator[Object]:
    top = 0
    for row in ROWS:
        yield {"type": "row", "title": row.title, "collapsed": False, "panels": [], "gridPos": _place(0, top, WIDTH, 1)}
        top += 1
        is_glance = row is ROWS[0]
        width, height = (WIDTH // len(row.panels), HEIGHT // 2) if is_glance else (WIDTH // 3, HEIGHT)
        for number, panel in enumerate(row.panels):
            line, column = divmod(number * width, WIDTH)
            yield _panel(
                panel, _place(column, top + line * height, width, height), "stat" if is_glance else "timeseries"
            )
        top += -(-len(row.panels) * width // WIDTH) * height


def _panel(panel: Panel, place: Object, kind: str) -> Object:
    targets = [
        {"refId": chr(ord("A") + number), "datasource": SOURCE, "expr": expression, "legendFormat": legend}
        for number, (expression, legend) in enumerate(panel.queries)
    ]
    defaults = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": _steps(panel)}}
    return {
        "type": kind,
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": place,
        "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": []},
    }


def _steps(panel: Panel) -> list[Object]:
    if panel.red_below is not None:
        return [{"color": "red", "value": None}, {"color": "green", "value": panel.red_below}]
    if panel.red_above is not None:
        return [{"color": "green", "value": None}, {"color": "red", "value": panel.red_above}]
    return [{"color": "green", "value": None}]


def _place(column: int, top: int, width: int, height: int) -> Object:
    return {"x": column, "y": top, "w": width, "h": height}


def _source() -> Object:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _choice(name: str, label: str) -> Object:
    return {
        "name": name,
        "type": "query",
        "datasource": SOURCE,
        "query": f"label_values(kubeslice_hub_slice_ready, {label})",
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }
