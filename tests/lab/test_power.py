"""A node that dies and boots again, and a network behind a load balancer's address."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.lab import commands
from kubeslice.lab.controllers import liveness
from kubeslice.lab.topology import Topology
from kubeslice.model.resources import NODES, PODS, SERVICES
from tests.lab.cluster import FIRST, SECOND, Cluster

pytestmark = pytest.mark.lab
SILENCE = 40.0


@pytest.fixture
async def powered(lab: Topology, cluster: Cluster) -> AsyncIterator[Cluster]:
    yield cluster
    await asyncio.to_thread(commands.heal, name=lab.name)
    await until_node(cluster, "True")


async def until_node(cluster: Cluster, ready: str) -> Object:
    async with asyncio.timeout(SILENCE):
        while True:
            node = await cluster.api.get(NODES, SECOND)
            tainted = bool(objects.spec(node).get("taints"))
            if liveness.readiness(node) == ready and tainted == (ready == "Unknown"):
                return node
            await asyncio.sleep(0.2)


def unreachable(seconds: int) -> dict[str, Any]:
    key = "node.kubernetes.io/unreachable"
    return {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds}


async def test_a_dead_node_is_noticed_and_boots_again(lab: Topology, powered: Cluster) -> None:
    soon = await powered.pod("sleep 600", SECOND, tolerations=[unreachable(1)])
    later = await powered.pod("sleep 600", SECOND, tolerations=[unreachable(3600)])
    for name in (soon, later):
        await powered.ready(name)
    answer = await asyncio.to_thread(commands.stop, SECOND, lab.name)
    assert answer["stopped"] == [SECOND]
    node = await until_node(powered, "Unknown")
    assert {taint["effect"] for taint in objects.spec(node)["taints"]} == {"NoSchedule", "NoExecute"}
    await powered.until(soon, objects.is_deleting)
    await powered.until(later, lambda pod: not objects.is_true(pod, "Ready"))
    await asyncio.to_thread(commands.start, SECOND, lab.name)
    await until_node(powered, "True")
    assert not objects.is_deleting(await powered.ready(later))
    assert "sleep" in powered.run(later, "cat", "/proc/1/cmdline")
    listing = await powered.api.list(PODS, "default", fields=f"metadata.name={soon}")
    assert not listing.items or objects.is_deleting(listing.items[0])


async def test_a_load_balancer_is_reached_from_outside(lab: Topology, powered: Cluster) -> None:
    program = "import http.server as h; h.test(h.SimpleHTTPRequestHandler, port=8080)"
    name = await powered.pod("", container={"image": "python", "command": ["python3", "-c", program]})
    pod = await powered.ready(name)
    await powered.api.patch(PODS, name, "default", {"metadata": {"labels": {"app": name}}})
    spec = {"type": "LoadBalancer", "selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]}
    service = objects.name(await powered.create(SERVICES, {"spec": spec}))
    address = await balanced(powered, service)
    assert pod["spec"]["nodeName"] == FIRST
    options = ["-s", "-o", "/dev/null", "--retry", "20", "--retry-all-errors", "--retry-delay", "0", "-m", "1"]
    assert powered.run("wan", "curl", *options, "-w", "%{http_code}", f"http://{address}/") == "200"
    await powered.api.patch(SERVICES, service, "default", {"spec": {"type": "ClusterIP"}})
    assert not await balanced(powered, service, wanted=False)


async def balanced(cluster: Cluster, service: str, *, wanted: bool = True) -> str:
    async with asyncio.timeout(10):
        while True:
            status = objects.status(await cluster.api.get(SERVICES, service, "default"))
            ingress = (status.get("loadBalancer") or {}).get("ingress") or []
            if bool(ingress) == wanted:
                return str(ingress[0]["ip"]) if ingress else ""
            await asyncio.sleep(0.1)
