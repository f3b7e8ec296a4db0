"""Small clusters for kernel tests: one node, an API server, pods that are a namespace and a cgroup, real components.

What a kubelet, a CNI plugin and the worker operator would do is done by hand here, so that agent, gateway and router
are tried with nothing else of ours but the API.
"""

import asyncio
import base64
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

from kubeslice.kube import config
from kubeslice.kube.errors import NotFound
from kubeslice.kube.http import HttpApi
from kubeslice.linux import cgroups, netns, sysctl
from kubeslice.linux.commands import run
from kubeslice.linux.netns import Namespace
from kubeslice.model import names
from kubeslice.model.crd import crd
from kubeslice.model.resources import (
    CRDS,
    NAMESPACES,
    NODES,
    PODS,
    SECRETS,
    SERVICEACCOUNTS,
    SLICEGATEWAYS,
    SLICES,
    Resource,
)
from kubeslice.model.slice import Slice
from kubeslice.model.slicegateway import SliceGateway
from kubeslice.plan import pods
from kubeslice.plan.address.ipam import ClusterPlan
from kubeslice.plan.address.parts import Cut
from tests.applied import applied
from tests.kernel import Kernel
from tests.relay import Relay

Object = dict[str, Any]
NODEPORT = 30000
API_PORT = 6443


class Cluster:
    """One cluster with one node. Its number, from 1, is its address in the WAN and its octet in every slice."""

    def __init__(self, kernel: Kernel, number: int, directory: Path) -> None:
        self.kernel, self.number, self.directory = kernel, number, directory
        self.name = f"worker-{number}"
        self.address = f"172.16.0.{number}"
        self.node = kernel.namespace()
        self.pods: dict[str, Namespace] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.uids: dict[str, str] = {}
        self.addresses: dict[str, str] = {}
        self.cleared = 0
        self._made = 0
        self.cgroup = cgroups.hierarchy() / f"kubeslice-test-{uuid.uuid4().hex[:8]}"
        self.namespaces = directory / "netns"
        self.api: HttpApi
        self._relay: Relay

    async def start(self) -> None:
        """Bring up the API server with our kinds, and the node's object."""
        self.directory.mkdir(parents=True)
        self.cgroup.mkdir()
        port = _free_port()
        self._relay = Relay(port)
        listen = ["--listen", f"127.0.0.1:{port}", "--name", self.address]
        command = [sys.executable, "-m", "kubeslice.lab.apiserver", "--data-dir", str(self.directory), *listen]
        self._spawn("apiserver", command, {})
        kubeconfig = self.directory / "admin.kubeconfig"
        await until(kubeconfig.exists, 60)
        inside = kubeconfig.read_text().replace(f"127.0.0.1:{port}", f"{self.address}:{API_PORT}")
        (self.directory / "node.kubeconfig").write_text(inside)
        self.api = HttpApi(config.from_kubeconfig(kubeconfig))
        with netns.inside(self.node):
            ear = socket.create_server((self.address, API_PORT))
        await self._relay.open(ear)
        for kind in (Slice, SliceGateway):
            await self.apply(CRDS, crd(kind))
        await self._namespace({"name": names.WORKER_NAMESPACE})
        await self.apply(NODES, {"metadata": {"name": self.name}})
        status = {"addresses": [{"type": "InternalIP", "address": self.address}]}
        await self.apply(NODES, {"metadata": {"name": self.name}, "status": status}, "status")

    async def stop(self) -> None:
        """End everything that `start` and the rest began."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(process.wait, 5)
            process.kill()
            await asyncio.to_thread(process.wait)
        await self._relay.close()
        await self.api.close()
        for path in self.namespaces.glob("*"):
            netns.release(path)
        for directory in (*self.cgroup.iterdir(), self.cgroup):
            if directory.is_dir():
                await until(lambda at=directory: _is_removed(at), 5)  # type: ignore[misc]

    async def apply(self, resource: Resource, obj: Object, subresource: str = "") -> None:
        """Apply an object, again while the server or the kind is new."""
        await applied(self.api, resource, obj, subresource)

    async def slice(
        self,
        name: str,
        vni: int,
        subnet: str = "10.1.0.0/16",
        members: int = 4,
        keys: tuple[int, ...] = (1,),
        planes: int = 1,
    ) -> ClusterPlan:
        """Write a Slice as the operator does; returns the plan of this cluster's part."""
        plan = ClusterPlan(Cut(IPv4Interface(subnet), 16 + (members - 1).bit_length()).part(self.number))
        spec = {
            "sliceName": name,
            "sliceSubnet": subnet,
            "clusterSubnet": str(plan.subnet),
            "clusterName": self.name,
            "vni": vni,
            "mtu": 1420,
            "gatewayReplicas": planes,
            "gatewayKeys": [{"plane": plane, "generations": list(keys)} for plane in range(planes)],
            "nodeBlocks": [{"node": self.name, "cidrs": [str(plan.node_blocks[0])]}],
        }
        await self.apply(SLICES, {"metadata": {"name": name, "namespace": names.WORKER_NAMESPACE}, "spec": spec})
        return plan

    async def secret(self, name: str, data: dict[str, str]) -> None:
        """Write a plane's Secret as the operator does."""
        body = {"metadata": {"name": name, "namespace": names.WORKER_NAMESPACE}, "type": "kubeslice.io/gateway"}
        await self.apply(SECRETS, {**body, "data": {key: _base64(text) for key, text in data.items()}})

    async def peer(self, name: str, remote: "Cluster", subnet: str, planes: list[Object], **more: Any) -> None:
        """Write a SliceGateway to another cluster as the operator does."""
        labels = {names.SLICE_LABEL: name}
        meta = {"name": names.slice_gateway(name, self.name, remote.name), "namespace": names.WORKER_NAMESPACE}
        spec = {"sliceName": name, "localCluster": self.name, "remoteCluster": remote.name, "remoteSubnet": subnet}
        body = {"metadata": {**meta, "labels": labels}, "spec": {**spec, **more, "planes": planes}}
        await self.apply(SLICEGATEWAYS, body)

    async def namespace(self, name: str, slice_name: str) -> None:
        """Put a namespace on a slice, or with "" on none."""
        labels = {names.SLICE_LABEL: slice_name} if slice_name else {}
        await self._namespace({"name": name, "labels": labels})

    async def pod(self, namespace: str, name: str, labels: dict[str, str] | None = None) -> Namespace:
        """Make a pod: object, sandbox, cgroup with one process, interface on the cluster's own network."""
        spec = {"nodeName": self.name, "containers": [{"name": "main", "image": "busybox"}]}
        body = {"metadata": {"name": name, "namespace": namespace, "labels": labels or {}}, "spec": spec}
        await self.apply(PODS, body)
        uid = (await self.api.get(PODS, name, namespace))["metadata"]["uid"]
        sandbox = self.kernel.namespace()
        self._made += 1
        number = self._made + 1
        self.kernel.ip(self.node, f"link add c{number} type veth peer name eth0 netns {{peer}}", peer=sandbox)
        self.kernel.ip(self.node, f"address add 10.244.{number}.1/24 dev c{number}", f"link set c{number} up")
        lines = (
            f"address add 10.244.{number}.2/24 dev eth0",
            "link set eth0 up",
            f"route add default via 10.244.{number}.1",
        )
        self.kernel.ip(sandbox, *lines)
        process = self.kernel.process(sandbox, "sleep", "1000")
        directory = self.cgroup / f"pod{uid}"
        directory.mkdir()
        (directory / "cgroup.procs").write_text(str(process.pid))
        self.pods[name], self.uids[name], self.addresses[name] = sandbox, uid, f"10.244.{number}.2"
        return sandbox

    async def remove_pod(self, namespace: str, name: str) -> None:
        """Delete a pod at once, sandbox and all."""
        await self.api.delete(PODS, name, namespace, grace_seconds=0)
        directory = self.cgroup / f"pod{self.uids[name]}"
        for line in (directory / "cgroup.procs").read_text().split():
            os.kill(int(line), signal.SIGKILL)
        self.pods.pop(name).close()

    async def clear(self) -> None:
        """Take away what a test made, all but API server and agent: the next one finds the cluster as it was."""
        for component in self.processes.keys() - {"apiserver", "agent"}:
            self.kill(component)
        for resource in (SLICEGATEWAYS, SLICES, SECRETS):
            for obj in (await self.api.list(resource, names.WORKER_NAMESPACE)).items:
                if resource is not SECRETS or obj.get("type") == "kubeslice.io/gateway":
                    await self.api.delete(resource, obj["metadata"]["name"], names.WORKER_NAMESPACE)
        for obj in (await self.api.list(PODS)).items:
            await self.remove_pod(obj["metadata"]["namespace"], obj["metadata"]["name"])
        run(["nft", "flush", "ruleset"], namespace=self.node)
        await until(lambda: not any(self.namespaces.glob("*")), 15)
        self.cleared += 1

    def expose(self, pod: str, port: int = NODEPORT) -> None:
        """Open two NodePorts to the gateway, for even and odd generations of keys, and masquerade what pods send out.

        As kube-proxy and the CNI plugin do it.
        """
        opened = "".join(
            f"ip daddr {self.address} udp dport {port + parity} "
            f"dnat to {self.addresses[pod]}:{names.tunnel_port(parity)};\n            "
            for parity in (0, 1)
        )
        rules = f"""
        table ip nodeport-{port} {{
          chain in {{
            type nat hook prerouting priority -100;
            {opened}
          }}
          chain out {{ type nat hook postrouting priority 100; oifname "eth0" masquerade; }}
        }}
        """
        run(["nft", "-f", "-"], text=rules, namespace=self.node)

    def run(self, component: str, inside: Namespace | None = None, **environment: str) -> None:
        """Start one of our components, in a mount namespace of its own for the sockets of wireguard-go."""
        launch = [sys.executable, "-m", "tests.launch", component.partition("-")[0]]
        settings = {
            "KUBECONFIG": str(self.directory / "node.kubeconfig"),
            "NODE_NAME": self.name,
            "NETNS_DIRECTORY": str(self.namespaces),
            **environment,
        }
        own_run = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /run && exec "$@"', "sh"]
        command = launch if component == "agent" else [*own_run, *launch]
        self._spawn(component, command, settings, inside or self.node)

    def kill(self, component: str) -> None:
        """Kill a component without warning."""
        process = self.processes.pop(component)
        process.kill()
        process.wait()

    async def address_of(self, namespace: str, name: str, slice_name: str) -> str:
        """Wait until the agent has attached a pod; returns its address."""
        pod = await self.object_when(PODS, name, namespace, lambda pod: pods.overlay_address(pod, slice_name))
        return pods.overlay_address(pod, slice_name)

    async def object_when(
        self, resource: Resource, name: str, namespace: str, condition: Callable[[Object], Any], seconds: float = 15
    ) -> Object:
        """Wait until a condition holds for an object; returns the object."""
        for _ in range(round(seconds / 0.02)):
            with contextlib.suppress(NotFound):
                if condition(found := await self.api.get(resource, name, namespace)):
                    return found
            await asyncio.sleep(0.02)
        raise AssertionError(f"{name} never became what it should")

    async def tunnel_is(
        self, state: str, slice_name: str, remote: "Cluster", seconds: float = 15, plane: int = 0, **more: Any
    ) -> Object:
        """Wait until a gateway reports a state of its tunnel to another cluster; returns the report.

        `more` are further fields of the report and what they must be.
        """
        name = names.slice_gateway(slice_name, self.name, remote.name)
        wanted = {"plane": plane, "state": state, **more}

        def entries(gateway: Object) -> list[Object]:
            planes = (gateway.get("status") or {}).get("planes") or []
            return [entry for entry in planes if wanted.items() <= entry.items()]

        found = await self.object_when(SLICEGATEWAYS, name, names.WORKER_NAMESPACE, entries, seconds)
        return entries(found)[0]

    async def report(self, slice_name: str, remote: "Cluster", plane: int = 0) -> Object:
        """Return what a gateway reported last of its tunnel to another cluster."""
        name = names.slice_gateway(slice_name, self.name, remote.name)
        found = await self.api.get(SLICEGATEWAYS, name, names.WORKER_NAMESPACE)
        planes = (found.get("status") or {}).get("planes") or []
        return next((entry for entry in planes if entry["plane"] == plane), {})

    def log(self, component: str) -> str:
        """Return what a component wrote."""
        return (self.directory / f"{component}.log").read_text()

    async def _namespace(self, metadata: Object) -> None:
        await self.apply(NAMESPACES, {"metadata": metadata})
        await self.apply(SERVICEACCOUNTS, {"metadata": {"name": "default", "namespace": metadata["name"]}})

    def _spawn(self, name: str, command: list[str], settings: dict[str, str], inside: Namespace | None = None) -> None:
        environment = {**os.environ, **settings}
        with (self.directory / f"{name}.log").open("ab") as log, contextlib.ExitStack() as stack:
            if inside is not None:
                stack.enter_context(netns.inside(inside))
            self.processes[name] = subprocess.Popen(command, env=environment, stdout=log, stderr=log)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def until(condition: Callable[[], Any], seconds: float) -> float:
    """Wait until a condition holds; returns how long that took in seconds."""
    began = time.monotonic()
    while not await asyncio.to_thread(condition):
        assert time.monotonic() - began < seconds, "it did not happen in time"
        await asyncio.sleep(0.01)
    return time.monotonic() - began


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _is_removed(directory: Path) -> bool:
    try:
        directory.rmdir()
    except OSError:
        return False
    return True


@asynccontextmanager
async def some_clusters(kernel: Kernel, count: int, directory: Path) -> AsyncIterator[list[Cluster]]:
    """Run clusters whose nodes are on one WAN."""
    made = [Cluster(kernel, number, directory / str(number)) for number in range(1, count + 1)]
    wan = kernel.namespace()
    kernel.ip(wan, "link add br0 type bridge", "link set br0 up")
    for cluster in made:
        kernel.ip(wan, f"link add w{cluster.number} type veth peer name eth0 netns {{peer}}", peer=cluster.node)
        kernel.ip(wan, f"link set w{cluster.number} master br0 up")
        kernel.ip(cluster.node, f"address add {cluster.address}/24 dev eth0", "link set eth0 up")
        sysctl.ensure({"ipv4/ip_forward": "1"}, cluster.node)
    try:
        await asyncio.gather(*(cluster.start() for cluster in made))
        yield made
    finally:
        for cluster in made:
            for process in cluster.kernel.processes:
                process.kill()
        await asyncio.gather(*(cluster.stop() for cluster in made))
