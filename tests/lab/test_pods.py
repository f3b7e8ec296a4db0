"""Pods on a lab's nodes do what pods do: files, environment, probes, restarts, an orderly end."""

import asyncio
import base64
import json
import time

import pytest

from kubeslice.kube import objects
from kubeslice.model.resources import CONFIGMAPS, PODS, SECRETS
from tests.lab.cluster import FIRST, SECOND, Cluster, Object, eventually

pytestmark = pytest.mark.lab


def main(pod: Object) -> Object:
    """Return the status of a pod's only container; nothing is known of it at first."""
    found: list[Object] = objects.status(pod).get("containerStatuses") or []
    return found[0] if found else {"restartCount": 0, "state": {}, "started": False}


def waits_for(pod: Object, reason: str) -> bool:
    return (main(pod)["state"].get("waiting") or {}).get("reason") == reason


async def test_volumes_and_environment(cluster: Cluster) -> None:
    config = objects.name(await cluster.create(CONFIGMAPS, {"data": {"key": "one", "file.txt": "text"}}))
    secret = objects.name(await cluster.create(SECRETS, {"data": {"word": base64.b64encode(b"hidden").decode()}}))
    name = await cluster.pod(
        "sleep 100",
        container={
            "env": [
                {"name": "ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                {"name": "WORD", "valueFrom": {"secretKeyRef": {"name": secret, "key": "word"}}},
                {"name": "BOTH", "value": "$(WORD)-$(ADDRESS)-$(NOTHING)"},
            ],
            "envFrom": [{"configMapRef": {"name": config}, "prefix": "C_"}],
            "volumeMounts": [
                {"name": "config", "mountPath": "/config"},
                {"name": "config", "mountPath": "/only.txt", "subPath": "file.txt"},
                {"name": "host", "mountPath": "/host"},
                {"name": "info", "mountPath": "/info"},
            ],
        },
        volumes=[
            {"name": "config", "configMap": {"name": config}},
            {"name": "host", "hostPath": {"path": "/opt/made-by-test", "type": "DirectoryOrCreate"}},
            {"name": "info", "downwardAPI": {"items": [{"path": "uid", "fieldRef": {"fieldPath": "metadata.uid"}}]}},
        ],
    )
    pod = await cluster.ready(name)
    environment = cluster.run(name, "env")
    assert f"BOTH=hidden-{pod['status']['podIP']}-$(NOTHING)" in environment
    assert "C_key=one" in environment
    assert cluster.run(name, "cat", "/only.txt", "/info/uid") == "text" + pod["metadata"]["uid"]
    cluster.run(name, "sh", "-c", "echo from the pod > /host/file; hostname")
    assert cluster.run(FIRST, "cat", "/opt/made-by-test/file") == "from the pod"
    token = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    ask = f'curl -s --cacert {token[:-5]}ca.crt -H "Authorization: Bearer $(cat {token})" https://10.96.0.1/api/v1/pods'
    assert json.loads(cluster.run(name, "sh", "-c", ask))["reason"] == "Forbidden"
    await cluster.api.patch(CONFIGMAPS, config, "default", {"data": {"key": "two"}})
    await eventually(lambda: cluster.run(name, "cat", "/config/key") == "two")


async def test_init_containers_come_first(cluster: Cluster) -> None:
    share = {"volumeMounts": [{"name": "share", "mountPath": "/share"}]}
    first = {"name": "first", "image": "busybox", "command": ["sh", "-c", "sleep 0.2; echo 1 > /share/order"]} | share
    second = {"name": "second", "image": "busybox", "command": ["sh", "-c", "echo 2 >> /share/order"]} | share
    name = await cluster.pod(
        "cat /share/order",
        container=share,
        initContainers=[first, second],
        volumes=[{"name": "share", "emptyDir": {}}],
        restartPolicy="Never",
    )
    pod = await cluster.phase(name, "Succeeded")
    assert (await cluster.log(name)).split() == ["1", "2"]
    assert [entry["state"]["terminated"]["exitCode"] for entry in pod["status"]["initContainerStatuses"]] == [0, 0]


async def test_a_failing_container_is_restarted_and_its_last_log_kept(cluster: Cluster) -> None:
    name = await cluster.pod("echo attempt; echo why > /dev/termination-log; exit 3")
    pod = await cluster.until(name, lambda pod: main(pod)["restartCount"] >= 1)
    last = main(pod)["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"], last["message"]) == (3, "Error", "why\n")
    assert await cluster.log(name, "?previous=true") == "attempt"
    await cluster.until(name, lambda pod: waits_for(pod, "CrashLoopBackOff"))


async def test_what_cannot_start_says_why(cluster: Cluster) -> None:
    image = await cluster.pod("true", container={"image": "example.org/strange:1"})
    pod = await cluster.until(image, lambda pod: waits_for(pod, "ErrImagePull"))
    assert "has no program for it" in main(pod)["state"]["waiting"]["message"]
    program = await cluster.pod("", container={"command": ["/no/such/program"]}, restartPolicy="Never")
    pod = await cluster.phase(program, "Failed")
    assert main(pod)["state"]["terminated"]["reason"] == "StartError"
    missing = {"env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "absent", "key": "x"}}}]}
    secret = await cluster.pod("sleep 100", container=missing)
    pod = await cluster.until(secret, lambda pod: waits_for(pod, "CreateContainerConfigError"))
    assert main(pod)["state"]["waiting"]["message"] == 'secret "absent" not found'
    await cluster.create(SECRETS, {"metadata": {"name": "absent"}, "data": {"x": "aGVyZQ=="}})
    await cluster.ready(secret)


async def test_probes(cluster: Cluster) -> None:
    server = ["python3", "-m", "http.server", "8000", "--directory", "/www"]
    container = {
        "command": server,
        "image": "python",
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "web"}, "periodSeconds": 1},
        "livenessProbe": {
            "exec": {"command": ["test", "!", "-e", "/www/dead"]},
            "periodSeconds": 1,
            "failureThreshold": 1,
        },
        "startupProbe": {"tcpSocket": {"port": 8000}, "periodSeconds": 1},
        "ports": [{"name": "web", "containerPort": 8000}],
        "volumeMounts": [{"name": "www", "mountPath": "/www"}],
    }
    name = await cluster.pod("", container=container, volumes=[{"name": "www", "emptyDir": {}}])
    pod = await cluster.until(name, lambda pod: main(pod)["started"])
    assert not objects.is_true(pod, "Ready")
    cluster.run(name, "touch", "/www/ready")
    await cluster.ready(name)
    cluster.run(name, "touch", "/www/dead")
    await cluster.until(name, lambda pod: main(pod)["restartCount"] == 1)


async def test_a_pod_ends_in_order(cluster: Cluster) -> None:
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "echo hook > /proc/1/fd/1"]}}}
    script = "trap 'echo term; exit 0' TERM; echo up; while :; do sleep 0.1; done"
    name = await cluster.pod(script, container={"lifecycle": hook}, terminationGracePeriodSeconds=20)
    await cluster.ready(name)
    follow = asyncio.create_task(cluster.log(name, "?follow=true"))
    await asyncio.sleep(1)
    started = time.monotonic()
    await cluster.gone(name)
    assert time.monotonic() - started < 5
    assert (await follow).split() == ["up", "hook", "term"]
    assert name not in cluster.run(FIRST, "ls", "/var/log/pods")


async def test_a_stubborn_pod_is_killed_after_its_grace(cluster: Cluster) -> None:
    name = await cluster.pod("trap '' TERM; while :; do sleep 0.1; done")
    await cluster.ready(name)
    started = time.monotonic()
    await cluster.gone(name)
    assert 0.9 < time.monotonic() - started < 4


async def test_a_pod_has_only_the_powers_it_asked_for(cluster: Cluster) -> None:
    show = "grep -h -e Uid -e CapEff -e NoNewPrivs /proc/self/status; ls /dev/net/tun; sleep 100"
    plain = await cluster.pod(
        show, container={"securityContext": {"runAsUser": 1000, "allowPrivilegeEscalation": False}}
    )
    admin = await cluster.pod(
        show, container={"securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]}}}
    )
    mighty = await cluster.pod(show, container={"securityContext": {"privileged": True}})
    for name in (plain, admin, mighty):
        await cluster.ready(name)
    await asyncio.sleep(0.3)
    logs = [(await cluster.log(name)).split() for name in (plain, admin, mighty)]
    assert "1000" in logs[0]
    assert logs[0][logs[0].index("NoNewPrivs:") + 1] == "1"
    assert logs[0][logs[0].index("CapEff:") + 1] == "0" * 16
    assert logs[1][logs[1].index("CapEff:") + 1] == f"{1 << 12:016x}"
    assert "/dev/net/tun" not in logs[1]
    assert "/dev/net/tun" in logs[2]


async def test_pods_reach_each_other_across_nodes(cluster: Cluster) -> None:
    there = await cluster.pod("sleep 100", node=SECOND)
    beside = await cluster.pod("sleep 100")
    here = await cluster.pod("sleep 100")
    for name in (there, beside):
        address = (await cluster.ready(name))["status"]["podIP"]
        await cluster.ready(here)
        cluster.run(here, "ping", "-c1", "-W2", address)
    outside = cluster.run(here, "ping", "-c1", "-W2", "172.31.0.11")
    assert "1 received" in outside


async def test_the_agent_finds_a_pod_by_its_control_group(cluster: Cluster) -> None:
    pod = await cluster.ready(await cluster.pod("sleep 100"))
    agent = await cluster.pod(
        "sleep 100", hostPID=True, hostNetwork=True, container={"securityContext": {"privileged": True}}
    )
    await cluster.ready(agent)
    lists = f"find /sys/fs/cgroup -path '*{objects.uid(pod)}*' -name cgroup.procs"
    pids = cluster.run(agent, "sh", "-c", f"for file in $({lists}); do cat $file; done").split()
    assert len(pids) >= 2
    for pid in pids:
        seen = cluster.run(agent, "nsenter", f"--net=/proc/{pid}/ns/net", "ip", "-4", "-br", "addr", "show", "eth0")
        assert pod["status"]["podIP"] in seen


async def test_mounts_of_a_bidirectional_volume_reach_the_node(cluster: Cluster) -> None:
    volume = {"name": "netns", "hostPath": {"path": "/var/run/netns"}}
    mount = {"name": "netns", "mountPath": "/var/run/netns", "mountPropagation": "Bidirectional"}
    name = await cluster.pod(
        "ip netns add from-pod; sleep 100",
        hostNetwork=True,
        container={"securityContext": {"privileged": True}, "volumeMounts": [mount]},
        volumes=[volume],
    )
    await cluster.ready(name)
    await asyncio.sleep(0.3)
    assert "from-pod" in cluster.run(FIRST, "ip", "netns", "list")
    assert cluster.run(FIRST, "ip", "-n", "from-pod", "-br", "link")
    cluster.run(FIRST, "ip", "netns", "del", "from-pod")


async def test_a_pod_starts_quickly(cluster: Cluster) -> None:
    times = []
    for _ in range(10):
        started = time.monotonic()
        name = await cluster.pod("sleep 100")
        await cluster.phase(name, "Running")
        times.append(time.monotonic() - started)
        await cluster.api.delete(PODS, name, "default", grace_seconds=0)
    # Others may keep the machine busy for some of the time; a kubelet that waits for something is slow every time.
    assert sorted(times)[2] < 0.15, times
