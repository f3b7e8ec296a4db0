"""Whatever process of a lab is killed comes back, and what it looked after goes on meanwhile."""

import asyncio
import contextlib
import signal
from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.kube.errors import ApiError
from kubeslice.lab import commands
from kubeslice.lab.client import ask
from kubeslice.model.resources import CONFIGMAPS, PODS
from tests.lab.cluster import CLUSTER, FIRST, Cluster, eventually

pytestmark = pytest.mark.lab


async def kill(cluster: Cluster, process: str) -> None:
    """Kill a process of the lab and wait until it was started again."""
    before = restarts(cluster, process)
    commands.send_signal(process, signal.SIGKILL, cluster.lab)
    await eventually(lambda: restarts(cluster, process) > before)


def restarts(cluster: Cluster, process: str) -> int:
    found = ask(cluster.lab, "status")[0]["processes"]
    return next(int(entry["restarts"]) for entry in found if entry["name"] == process)


async def answered(cluster: Cluster, name: str) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(ApiError):
                return await cluster.api.get(PODS, name, "default")
            await asyncio.sleep(0.05)


async def test_pods_outlive_the_kubelet_and_the_api_server(cluster: Cluster) -> None:
    name = await cluster.pod("n=0; while sleep 0.1; do n=$((n+1)); echo $n; done")
    before = await cluster.ready(name)
    born = cluster.run(name, "cut", "-d ", "-f22", "/proc/1/stat")
    await kill(cluster, f"{CLUSTER}/kubelet-1")
    await kill(cluster, f"{CLUSTER}/apiserver")
    later = await cluster.pod("sleep 100")
    await cluster.ready(later)
    after = await answered(cluster, name)
    assert objects.status(after)["containerStatuses"] == objects.status(before)["containerStatuses"]
    assert cluster.run(name, "cut", "-d ", "-f22", "/proc/1/stat") == born
    numbers = [int(line) for line in (await cluster.log(name)).split()]
    assert numbers == list(range(1, len(numbers) + 1))
    await cluster.gone(name)


async def test_a_new_kubelet_learns_what_ended_meanwhile(cluster: Cluster) -> None:
    ends = await cluster.pod("while ! test -e /stop/now; do sleep 0.05; done; exit 7", restartPolicy="Never", **STOP)
    deleted = await cluster.pod("sleep 100")
    await cluster.ready(ends)
    pod = await cluster.ready(deleted)
    commands.send_signal(f"{CLUSTER}/kubelet-1", signal.SIGSTOP, cluster.lab)
    cluster.run(ends, "touch", "/stop/now")
    await cluster.api.delete(PODS, deleted, "default", grace_seconds=0)
    await kill(cluster, f"{CLUSTER}/kubelet-1")
    status = objects.status(await cluster.phase(ends, "Failed"))
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 7
    uid = objects.uid(pod)
    await eventually(
        lambda: uid not in cluster.run(FIRST, "find", "/sys/fs/cgroup", "/run/kubelet/pods", "-name", "*-*")
    )


STOP: dict[str, Any] = {
    "container": {"volumeMounts": [{"name": "stop", "mountPath": "/stop"}]},
    "volumes": [{"name": "stop", "emptyDir": {}}],
}


@pytest.mark.parametrize("is_watched", [True, False])
async def test_a_pod_whose_sandbox_dies_gets_a_new_one(cluster: Cluster, *, is_watched: bool) -> None:
    name = await cluster.pod("sleep 1000")
    pod = await cluster.ready(name)
    if not is_watched:
        commands.send_signal(f"{CLUSTER}/kubelet-1", signal.SIGSTOP, cluster.lab)
    group = f"/sys/fs/cgroup/kubepods/pod{objects.uid(pod)}/sandbox/cgroup.procs"
    cluster.run(FIRST, "sh", "-c", f"kill -9 $(cat {group})")
    if not is_watched:
        await kill(cluster, f"{CLUSTER}/kubelet-1")
    fresh = await cluster.until(
        name, lambda pod: objects.is_true(pod, "Ready") and pod["status"]["containerStatuses"][0]["restartCount"] == 1
    )
    assert cluster.run(name, "ip", "-4", "-br", "addr", "show", "eth0").split()[2] == f"{fresh['status']['podIP']}/32"


async def test_the_api_server_keeps_its_data(cluster: Cluster) -> None:
    made = await cluster.create(CONFIGMAPS, {"data": {"kept": "yes"}})
    await kill(cluster, f"{CLUSTER}/apiserver")
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(ApiError):
                assert await cluster.api.get(CONFIGMAPS, objects.name(made), "default") == made
                return
            await asyncio.sleep(0.05)


async def test_controllers_and_proxies_come_back(cluster: Cluster) -> None:
    for process in ("controllers", "proxy-1", "kubelet-2"):
        await kill(cluster, f"{CLUSTER}/{process}")
    name = objects.name(
        await cluster.create(
            PODS, {"spec": {"containers": [{"name": "main", "image": "busybox", "command": ["sleep", "9"]}]}}
        )
    )
    await cluster.ready(name)
