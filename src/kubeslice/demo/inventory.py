"""What exists that KubeSlice or a lab made: in the clusters' APIs, on the nodes, on the machine. For "nothing left"."""

import asyncio
import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from kubeslice.kube import objects
from kubeslice.kube.http import HttpApi
from kubeslice.model import names
from kubeslice.model.resources import (
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    SECRETS,
    SERVICEIMPORTS,
    SERVICES,
    SLICEGATEWAYS,
    SLICES,
    WORKERSERVICEIMPORTS,
    WORKERSLICECONFIGS,
    WORKERSLICEGATEWAYS,
)
from kubeslice.stage import places
from kubeslice.stage.stage import Stage

IN_WORKERS = (SLICES, SLICEGATEWAYS, SERVICEIMPORTS, DEPLOYMENTS, SERVICES, SECRETS)
ON_HUB = (WORKERSLICECONFIGS, WORKERSLICEGATEWAYS, WORKERSERVICEIMPORTS)


async def of_slice(stage: Stage, slice_name: str) -> list[str]:
    """Return every object, label, interface, namespace, route and process that still belongs to a slice."""
    found = await asyncio.gather(
        _hub_objects(stage.hub, slice_name),
        *(_worker_objects(stage.apis[cluster], cluster, slice_name) for cluster in stage.workers),
    )
    return [item for part in found for item in part]


async def of_nodes(stage: Stage) -> set[str]:
    """Return what the kernels of all nodes hold: segments, links, routes and rules of ours, tunnel processes."""
    nodes = [node.name for cluster in stage.workers for node in stage.cluster(cluster).nodes]
    found = await asyncio.gather(*(_of_node(node) for node in nodes))
    return {item for part in found for item in part}


async def _of_node(node: str) -> set[str]:
    segments = await places.run(node, ["ip", "-j", "netns", "list"])
    links = await places.run(node, ["ip", "-j", "link", "show"])
    routes = await places.run(node, ["ip", "-j", "-4", "route", "show", "table", "all"])
    tables = await places.run(node, ["nft", "list", "tables"])
    processes = await places.run(node, ["pgrep", "-l", "-x", "bird|wireguard-go|openvpn"])
    found = {f"{node}: namespace {entry['name']}" for entry in json.loads(segments.stdout or b"[]")}
    found |= {f"{node}: link {entry['ifname']}" for entry in json.loads(links.stdout or b"[]")}
    found |= {f"{node}: route {entry['dst']} {entry.get('dev', '')}" for entry in json.loads(routes.stdout or b"[]")}
    found |= {f"{node}: {line.decode()}" for line in tables.stdout.splitlines()}
    return found | {f"{node}: process {line.decode()}" for line in processes.stdout.splitlines()}


async def _hub_objects(api: HttpApi, slice_name: str) -> list[str]:
    left = []
    for resource in ON_HUB:
        listing = await api.list(resource)
        left += [
            f"hub: {resource.kind} {objects.name(obj)}"
            for obj in listing.items
            if objects.spec(obj).get("sliceName") == slice_name
        ]
    return left


async def _worker_objects(api: HttpApi, cluster: str, slice_name: str) -> list[str]:
    left = []
    selector = f"{names.SLICE_LABEL}={slice_name}"
    for resource in (*IN_WORKERS, PODS, NAMESPACES):
        listing = await api.list(resource, labels=selector)
        left += [f"{cluster}: {resource.kind} {objects.name(obj)}" for obj in listing.items]
    return left


def of_machine() -> set[str]:
    """Return what the machine itself holds: links, namespaces, mounts, nftables, cgroups, the lab's processes."""
    links = json.loads(_output("ip", "-j", "link", "show"))
    routes = json.loads(_output("ip", "-j", "-4", "route", "show", "table", "all") or "[]")
    found = {f"link {entry['ifname']}" for entry in links}
    found |= {f"route {entry['dst']} {entry.get('dev', '')}" for entry in routes}
    found |= {f"namespace {line}" for line in _output("ip", "netns", "list").splitlines()}
    found |= {f"table {line}" for line in _output("nft", "list", "tables").splitlines()}
    found |= {f"mount {line.split()[4]}" for line in Path("/proc/self/mountinfo").read_text().splitlines()}
    found |= {f"cgroup {path}" for path in _directories(Path("/sys/fs/cgroup"))}
    return found | {f"process {line}" for line in _output("pgrep", "-f", "-l", "^kubeslice[-]lab").splitlines()}


def _directories(root: Path) -> Iterable[str]:
    # Directories may vanish while we look, as those of a lab that ends: os.walk takes that as it comes.
    return (f"{at}/{name}" for at, names_in, _ in os.walk(root) for name in names_in if "kubeslice" in name)


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout
