"""Asks the clusters how they are: waits for all nodes after a start, and sums clusters up for `lab status`."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.backoff import Backoff
from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.errors import ApiError, Gone
from kubeslice.kube.http import HttpApi
from kubeslice.lab.topology import Cluster, Topology
from kubeslice.model.resources import NODES, PODS

Progress = Callable[[str], None]
Connections = dict[str, dict[str, Any]]
SUMMARY_SECONDS = 5.0


class NotReady(Exception):
    """Clusters did not become ready in time; the message names them."""


def wait(connections: Connections, topology: Topology, progress: Progress, seconds: float) -> None:
    """Wait until all nodes of all clusters are ready, telling of each cluster. Raises `NotReady`."""
    asyncio.run(_wait(connections, topology, progress, seconds))


async def _wait(connections: Connections, topology: Topology, progress: Progress, seconds: float) -> None:
    missing = {cluster.name for cluster in topology.clusters}

    async def follow(cluster: Cluster) -> None:
        await _nodes_ready(connections[cluster.name], cluster)
        missing.discard(cluster.name)
        progress(f"{cluster.name} is ready")

    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for cluster in topology.clusters:
                group.create_task(follow(cluster))
    except TimeoutError:
        raise NotReady(f"not ready after {seconds:.0f} s: {', '.join(sorted(missing))}") from None


async def _nodes_ready(kubeconfig: dict[str, Any], cluster: Cluster) -> None:
    backoff, wanted = Backoff(), {node.name for node in cluster.nodes}
    async with HttpApi(from_kubeconfig(kubeconfig), "kubeslice-lab") as api:
        while True:
            try:
                if await _followed(api, wanted):
                    return
            except Gone:
                continue
            except ApiError:
                await asyncio.sleep(backoff.next())


async def _followed(api: HttpApi, wanted: set[str]) -> bool:
    listing = await api.list(NODES)
    ready = {objects.name(node) for node in listing.items if objects.is_true(node, "Ready")}
    if wanted <= ready:
        return True
    async for event in api.watch(NODES, since=listing.resource_version):
        if event.type != "BOOKMARK" and objects.is_true(event.object, "Ready"):
            ready.add(objects.name(event.object))
        if wanted <= ready:
            return True
    return False


def summaries(connections: Connections, topology: Topology) -> list[dict[str, Any]]:
    """Return for each cluster: name, ready nodes, number of pods by phase, or why nothing is known."""
    return asyncio.run(_summaries(connections, topology))


async def _summaries(connections: Connections, topology: Topology) -> list[dict[str, Any]]:
    return list(await asyncio.gather(*(_summary(connections, cluster) for cluster in topology.clusters)))


async def _summary(connections: Connections, cluster: Cluster) -> dict[str, Any]:
    found: dict[str, Any] = {"name": cluster.name, "nodes": {}, "pods": {}, "problem": ""}
    if cluster.name not in connections:
        return found | {"problem": "its API server has not started yet"}
    try:
        async with (
            asyncio.timeout(SUMMARY_SECONDS),
            HttpApi(from_kubeconfig(connections[cluster.name]), "kubeslice-lab") as api,
        ):
            nodes, pods = await api.list(NODES), await api.list(PODS)
    except (ApiError, TimeoutError) as error:
        return found | {"problem": str(error) or "its API server does not answer"}
    phases = Counter(objects.status(pod).get("phase", "Unknown") for pod in pods.items)
    ready = {objects.name(node): objects.is_true(node, "Ready") for node in nodes.items}
    return found | {"nodes": ready, "pods": dict(phases)}
