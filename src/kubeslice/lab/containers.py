"""Finds a running container of the lab by name, for `lab exec`: the kubelets' records on the lab's tmpfs say where."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubeslice.lab.layout import Layout
from kubeslice.lab.topology import Topology

PODS = "run/kubelet/pods"


@dataclass(frozen=True)
class Found:
    """A container's first process, by its id in the lab's pid namespace, and what programs in it start with."""

    pid: int
    environment: dict[str, str]
    directory: str


def find_container(layout: Layout, topology: Topology, target: str) -> Found | None:
    """Find CLUSTER/NAMESPACE/POD[/CONTAINER]; the pod's first running container when none is named."""
    cluster, *names = target.split("/")
    if len(names) not in {2, 3}:
        return None
    for node in topology.nodes:
        if node.cluster == cluster:
            found = _on_node(layout.node(node) / PODS, names)
            if found:
                return found
    return None


def _on_node(pods: Path, names: list[str]) -> Found | None:
    for sandbox in sorted(pods.glob("*/sandbox.json")):
        record = json.loads(sandbox.read_text())
        if [record["namespace"], record["name"]] == names[:2]:
            for path in sorted(sandbox.parent.glob("containers/*.json"), key=lambda path: path.stat().st_ctime_ns):
                if path.stem in (names[2:] or [path.stem]):
                    found = _running(json.loads(path.read_text()))
                    if found:
                        return found
    return None


def _running(record: dict[str, Any]) -> Found | None:
    if record["state"] != "running":
        return None
    spec = record["spec"]
    return Found(record["pid"], dict(spec["environment"]), spec["directory"])
