"""The lab's status in words."""

from io import StringIO
from typing import Any

from rich.console import Console

from kubeslice.cli import labtables


def drawn(status: dict[str, Any]) -> str:
    out = StringIO()
    Console(file=out, width=120, highlight=False).print(labtables.status_tables(status))
    return out.getvalue()


def test_clusters_processes_and_faults_are_named() -> None:
    clusters = [
        {"name": "hub", "nodes": {"hub-node-1": True}, "pods": {"Running": 3}, "problem": ""},
        {"name": "worker-1", "nodes": {"a": True, "b": False}, "pods": {}, "problem": "its API server is silent"},
    ]
    processes = [{"name": "hub/apiserver", "hostPid": 12, "restarts": 1, "lastExit": -9}]
    text = drawn(
        {
            "clusters": clusters,
            "processes": processes,
            "faults": {
                "cuts": [{"from": "worker-1", "to": "*", "ports": [30001]}],
                "limits": {"hub": 10.0},
                "mtus": [{"between": ["hub", "*"], "mtu": 1280, "icmp": False}],
                "nat": ["worker-2"],
                "stopped": ["worker-1-node-2"],
            },
        }
    )
    for part in (
        "1 of 1",
        "3 Running",
        "1 of 2",
        "its API server is silent",
        "hub/apiserver",
        "-9",
        "worker-1 → * (ports 30001)",
        "hub ↔ * takes packets of 1280 bytes, and nobody is told",
        "nobody can dial worker-2",
        "stopped: worker-1-node-2",
        "hub has 10 Mbit",
    ):
        assert part in text
