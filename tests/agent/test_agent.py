"""The agent as a process, with a real API server: pods join, leave, are healed; a restart changes nothing."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kubeslice.kube import objects
from kubeslice.linux import devices, netns, nftables, observation
from kubeslice.linux.netns import Namespace
from kubeslice.model import names
from kubeslice.model.resources import NODES, PODS, SLICES
from kubeslice.plan.datapath.network import Route
from tests.clusters import Cluster, some_clusters, until
from tests.kernel import Kernel

pytestmark = [pytest.mark.kernel, pytest.mark.api]

RED = 4097


@pytest.fixture
async def cluster(kernel: Kernel, tmp_path: Path) -> AsyncIterator[Cluster]:
    async with some_clusters(kernel, 1, tmp_path) as (one,):
        await one.slice("red", RED)
        await one.namespace("shop", "red")
        one.run("agent", HEALTH_PORT="9479")
        yield one
        print(one.log("agent"))


def has_overlay(sandbox: Namespace) -> bool:
    return devices.exists("ks0", sandbox)


async def test_a_pod_joins_and_says_so(cluster: Cluster) -> None:
    sandbox = await cluster.pod("shop", "web")
    address = await cluster.address_of("shop", "web", "red")
    seen = observation.only(observation.endpoint(sandbox), ["ks0"])
    assert any(str(getattr(record, "address", "")).startswith(f"{address}/") for record in seen)
    pod = await cluster.api.get(PODS, "web", "shop")
    assert objects.labels(pod)[names.SLICE_LABEL] == "red"
    assert objects.labels(pod)[names.OVERLAY_ADDRESS_LABEL] == address
    assert json.loads(objects.annotations(pod)[names.NETWORK_STATUS_ANNOTATION])[0]["interface"] == "ks0"
    node = await cluster.api.get(NODES, cluster.name)
    assert objects.annotations(node)[names.UNDERLAY_MTU_ANNOTATION] == "1500"


async def test_pods_join_and_leave_with_their_namespace(cluster: Cluster) -> None:
    await cluster.namespace("shop", "")
    sandbox = await cluster.pod("shop", "web")
    await asyncio.sleep(0.5)
    assert not has_overlay(sandbox)
    await cluster.namespace("shop", "red")
    await cluster.address_of("shop", "web", "red")
    await cluster.namespace("shop", "")
    await until(lambda: not has_overlay(sandbox), 5)
    pod = await cluster.object_when(PODS, "web", "shop", lambda pod: not objects.labels(pod))
    assert names.NETWORK_STATUS_ANNOTATION not in objects.annotations(pod)


async def test_damage_is_healed_at_once(cluster: Cluster, kernel: Kernel) -> None:
    sandbox = await cluster.pod("shop", "web")
    await cluster.address_of("shop", "web", "red")
    whole = observation.only(observation.endpoint(sandbox), ["ks0"])
    for damage in ("link delete dev ks0", "route flush proto 75", "address flush dev ks0"):
        await asyncio.sleep(0.2)
        kernel.ip(sandbox, damage)
        await until(lambda: observation.only(observation.endpoint(sandbox), ["ks0"]) == whole, 3)
    with netns.open_path(cluster.namespaces / names.segment_namespace(RED)) as segment:
        before = observation.segment(segment)
        kernel.ip(segment, "link delete br0")
        await until(lambda: observation.segment(segment) == before, 3)


async def test_a_slice_that_grows_or_gets_another_mtu_reaches_the_pods_that_run(cluster: Cluster) -> None:
    sandbox = await cluster.pod("shop", "web")
    address = await cluster.address_of("shop", "web", "red")

    def seen() -> set[str]:
        found = observation.only(observation.endpoint(sandbox), ["ks0"])
        return {f"{record.destination} {record.mtu}" for record in found if isinstance(record, Route)}

    assert seen() == {"10.1.0.0/16 1420"}
    change = {"spec": {"sliceSubnet": "10.0.0.0/15", "mtu": 1400}}
    await cluster.api.patch(SLICES, "red", names.WORKER_NAMESPACE, change)
    await until(lambda: seen() == {"10.0.0.0/15 1400"}, 5)
    assert await cluster.address_of("shop", "web", "red") == address


async def test_a_restarted_agent_changes_nothing(cluster: Cluster) -> None:
    sandboxes = [await cluster.pod("shop", f"web-{number}") for number in range(2)]
    addresses = [await cluster.address_of("shop", f"web-{number}", "red") for number in range(2)]
    with netns.open_path(cluster.namespaces / names.segment_namespace(RED)) as segment:
        await asyncio.sleep(0.5)

        def state() -> object:
            pods = [_with_indices(sandbox) for sandbox in sandboxes]
            return pods, observation.segment(segment), nftables.read("bridge", segment)

        before, versions = state(), [await _version(cluster, f"web-{number}") for number in range(2)]
        cluster.kill("agent")
        cluster.run("agent", HEALTH_PORT="9479")
        sandboxes.append(await cluster.pod("shop", "web-2"))
        third = await cluster.address_of("shop", "web-2", "red")
        assert third not in addresses
        await cluster.remove_pod("shop", "web-2")
        sandboxes.pop()
        await until(lambda: state() == before, 5)
    assert [await _version(cluster, f"web-{number}") for number in range(2)] == versions


async def test_a_restarted_agent_looks_after_the_pods_it_finds(cluster: Cluster, kernel: Kernel) -> None:
    sandbox = await cluster.pod("shop", "web")
    await cluster.address_of("shop", "web", "red")
    whole = observation.only(observation.endpoint(sandbox), ["ks0"])
    await asyncio.sleep(0.5)
    cluster.kill("agent")
    cluster.run("agent", HEALTH_PORT="9479")
    await asyncio.sleep(2)
    kernel.ip(sandbox, "address flush dev ks0")
    await until(lambda: observation.only(observation.endpoint(sandbox), ["ks0"]) == whole, 3)
    await cluster.namespace("shop", "")
    await until(lambda: not has_overlay(sandbox), 5)


async def test_nothing_is_left_of_a_slice(cluster: Cluster) -> None:
    sandbox = await cluster.pod("shop", "web")
    await cluster.address_of("shop", "web", "red")
    assert nftables.read("inet", cluster.node) is not None
    await cluster.api.delete(SLICES, "red", names.WORKER_NAMESPACE)
    await until(lambda: not has_overlay(sandbox), 5)
    await until(lambda: not list(cluster.namespaces.iterdir()), 5)
    await until(lambda: nftables.read("inet", cluster.node) is None, 5)
    await cluster.object_when(PODS, "web", "shop", lambda pod: not objects.labels(pod))


async def _version(cluster: Cluster, name: str) -> str:
    return str((await cluster.api.get(PODS, name, "shop"))["metadata"]["resourceVersion"])


def _with_indices(sandbox: Namespace) -> object:
    """What a pod has, with its interfaces' numbers: an interface that was made anew has another."""
    with netns.inside(sandbox):
        return socket.if_nameindex(), observation.endpoint()


async def test_a_router_gets_its_addresses_when_the_one_before_it_has_ended(cluster: Cluster) -> None:
    labels = {names.SLICE_LABEL: "red", names.POD_TYPE_LABEL: names.ROUTER_POD, names.ROUTER_LABEL: "1"}
    old = await cluster.pod(names.WORKER_NAMESPACE, "old", labels)
    address = await cluster.address_of(names.WORKER_NAMESPACE, "old", "red")
    await cluster.api.delete(PODS, "old", names.WORKER_NAMESPACE, grace_seconds=20)
    new = await cluster.pod(names.WORKER_NAMESPACE, "new", labels)
    await asyncio.sleep(0.7)
    assert has_overlay(old)
    assert not has_overlay(new)
    await cluster.remove_pod(names.WORKER_NAMESPACE, "old")
    assert await cluster.address_of(names.WORKER_NAMESPACE, "new", "red") == address
