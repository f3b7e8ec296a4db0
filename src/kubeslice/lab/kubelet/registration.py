"""Makes the node known to its cluster: the Node object, its conditions, and the Lease that says it is alive."""

import asyncio
import logging
import os
from datetime import UTC, datetime
from typing import Any

from kubeslice import __version__
from kubeslice.kube import objects
from kubeslice.kube.api import Api
from kubeslice.kube.backoff import Backoff
from kubeslice.kube.errors import AlreadyExists, ApiError, NotFound
from kubeslice.lab.kubelet.surroundings import now_text
from kubeslice.lab.topology import KUBELET_PORT, Node
from kubeslice.model.resources import LEASES, NODES

log = logging.getLogger(__name__)

Object = dict[str, Any]
LONGEST_BEAT = 10.0
BEATS_IN_GRACE = 4
LEASE_NAMESPACE = "kube-node-lease"
HEALTHY = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID"),
    "Ready": ("True", "KubeletReady"),
}


async def keep_registered(api: Api, node: Node, grace: int) -> None:
    """Register the node and renew its Lease until cancelled; say again that it is ready when somebody doubts it.

    Whoever is silent for `grace` seconds counts as dead, so the Lease is renewed four times in that time.
    """
    beat = min(LONGEST_BEAT, grace / BEATS_IN_GRACE)
    backoff = Backoff(first=0.1, cap=beat)
    while True:
        try:
            await _renew(api, node, grace)
            if not await _is_ready(api, node):
                await _register(api, node)
        except ApiError as error:
            log.warning("%s cannot tell that it is alive: %s", node.name, error.message)
            await asyncio.sleep(backoff.next())
        else:
            backoff.reset()
            await asyncio.sleep(beat)


async def _is_ready(api: Api, node: Node) -> bool:
    try:
        return objects.is_true(await api.get(NODES, node.name), "Ready")
    except NotFound:
        return False


async def _register(api: Api, node: Node) -> None:
    try:
        known = await api.create(NODES, node_object(node))
    except AlreadyExists:
        known = await api.get(NODES, node.name)
    old = (known.get("status") or {}).get("conditions") or []
    await api.patch(NODES, node.name, None, {"status": node_status(node, old, now_text())}, subresource="status")


def node_object(node: Node) -> Object:
    """Return the Node as it is created."""
    labels = {
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": architecture(),
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": architecture(),
    }
    if node.number == 1:
        labels["node-role.kubernetes.io/control-plane"] = ""
    spec = {"podCIDR": node.pod_network, "podCIDRs": [node.pod_network], "providerID": f"lab://{node.name}"}
    return {"metadata": {"name": node.name, "labels": labels}, "spec": spec}


def architecture() -> str:
    """Return the machine's architecture as Kubernetes names it."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)


def node_status(node: Node, old: list[Object], now: str) -> Object:
    """Return the Node's status; conditions keep the time at which they last changed."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    room = {"cpu": str(os.cpu_count()), "memory": f"{pages // 1024}Ki", "pods": "110", "ephemeral-storage": "10Gi"}
    system = os.uname()
    return {
        "addresses": [
            {"type": "InternalIP", "address": node.address},
            {"type": "Hostname", "address": node.name},
        ],
        "capacity": room,
        "allocatable": room,
        "conditions": [*(entry for entry in old if entry["type"] not in HEALTHY), *_conditions(old, now)],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": KUBELET_PORT}},
        "nodeInfo": {
            "architecture": architecture(),
            "operatingSystem": "linux",
            "kernelVersion": system.release,
            "osImage": "KubeSlice lab",
            "containerRuntimeVersion": f"lab://{__version__}",
            "kubeletVersion": "v1.31.0",
            "kubeProxyVersion": "v1.31.0",
            "bootID": "",
            "machineID": node.name,
            "systemUUID": node.name,
        },
    }


def _conditions(old: list[Object], now: str) -> list[Object]:
    found = []
    for kind, (status, reason) in HEALTHY.items():
        before = next((entry for entry in old if entry["type"] == kind and entry["status"] == status), None)
        since = before["lastTransitionTime"] if before else now
        times = {"lastHeartbeatTime": now, "lastTransitionTime": since}
        found.append({"type": kind, "status": status, "reason": reason, "message": "the lab's kubelet runs"} | times)
    return found


async def _renew(api: Api, node: Node, grace: int) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": node.name, "leaseDurationSeconds": grace, "renewTime": now}
    lease = {"metadata": {"name": node.name, "namespace": LEASE_NAMESPACE}, "spec": spec}
    try:
        await api.patch(LEASES, node.name, LEASE_NAMESPACE, {"spec": spec})
    except NotFound:
        await api.create(LEASES, lease)
