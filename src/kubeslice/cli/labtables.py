"""What `kubeslice lab status` and `kubeslice lab kubeconfig` print. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text


def status_tables(status: Mapping[str, Any]) -> RenderableType:
    """Return the tables of a lab's clusters, processes and faults."""
    parts: list[RenderableType] = [_clusters(status["clusters"]), Text(), _processes(status["processes"])]
    return Group(*parts, *(Text(line, style="yellow") for line in fault_lines(status["faults"])))


def fault_lines(faults: Mapping[str, Any]) -> list[str]:
    """Return a line for every fault that is in force."""
    return [
        *(f"cut: {cut['from']} → {cut['to']}{_ports(cut['ports'])}" for cut in faults["cuts"]),
        *(f"limit: {end} has {mbit:g} Mbit/s" for end, mbit in faults["limits"].items()),
        *(_narrow(path) for path in faults["mtus"]),
        *(f"nat: nobody can dial {cluster}" for cluster in faults["nat"]),
        *(f"stopped: {node}" for node in faults["stopped"]),
    ]


def _narrow(path: Mapping[str, Any]) -> str:
    silently = "" if path["icmp"] else ", and nobody is told"
    return f"mtu: {' ↔ '.join(path['between'])} takes packets of {path['mtu']} bytes{silently}"


def _ports(ports: Sequence[int]) -> str:
    return f" (ports {', '.join(map(str, ports))})" if ports else ""


def _clusters(clusters: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("CLUSTER", "NODES READY", "PODS", "PROBLEM")
    for cluster in clusters:
        ready = cluster["nodes"].values()
        phases = ", ".join(f"{count} {phase}" for phase, count in sorted(cluster["pods"].items()))
        table.add_row(cluster["name"], f"{sum(ready)} of {len(ready)}", phases, cluster["problem"])
    return table


def _processes(processes: list[Mapping[str, Any]]) -> Table:
    table = _table("PROCESS", "PID", "RESTARTS", "LAST EXIT")
    for process in processes:
        last = process.get("lastExit")
        row = (process["name"], process["hostPid"] or "-", process["restarts"], "" if last is None else last)
        table.add_row(*map(str, row))
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading)
    return table


def merged_kubeconfig(connections: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return one kubeconfig with a context named after each cluster; the first cluster's is current."""
    merged: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []}
    for name, config in connections.items():
        merged["clusters"].append({"name": name, "cluster": config["clusters"][0]["cluster"]})
        merged["users"].append({"name": name, "user": config["users"][0]["user"]})
        merged["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
    merged["current-context"] = next(iter(connections), "")
    return merged
