"""Which processes a lab consists of, and what each runs in its fork: the composition root of the parent.

Per cluster an API server and the controllers, in the first node's network; per node a kubelet and a proxy, in the
node's namespaces. Credentials are static tokens made here; they never leave the lab's tmpfs and processes.
"""

import asyncio
import importlib
import json
import secrets
import signal
import socket
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from kubeslice.lab import namespaces as ns
from kubeslice.lab import nodes
from kubeslice.lab.layout import Layout, network
from kubeslice.lab.supervisor import Program
from kubeslice.lab.topology import API_PORT, KUBERNETES_SERVICE, POD_NETWORK, Cluster, Node, Topology

ADMINISTRATORS, NODES = "system:masters", "system:nodes"
WARM = (
    "kubeslice.lab.apiserver.server",
    "kubeslice.lab.apiserver.schema.custom",
    "kubeslice.lab.controllers.main",
    "kubeslice.lab.kubelet.main",
    "kubeslice.lab.proxy.main",
    "kubeslice.lab.addons",
    "encodings.idna",
)


@dataclass(frozen=True)
class Credentials:
    """One cluster's certificate authority (PEM) and tokens, as its parts are told them."""

    url: str
    authority: bytes
    kubelet: str
    controllers: str
    inbound: str

    def kubeconfig(self, token: str) -> dict[str, Any]:
        """Return a kubeconfig for one of the tokens, for use inside the cluster's LAN."""
        from kubeslice.lab.apiserver.kubeconfig import kubeconfig  # noqa: PLC0415 - imported when the lab is warm

        return dict(json.loads(kubeconfig(self.url, self.authority, token)))


def warm() -> None:
    """Import what the forked processes need, once for all of them."""
    for module in WARM:
        importlib.import_module(module)


class Roster:
    """What runs where. `servers` are the API servers' sockets outside, `members` the namespaces of the nodes."""

    def __init__(
        self,
        topology: Topology,
        layout: Layout,
        servers: dict[str, socket.socket],
        members: dict[str, nodes.Namespaces],
    ) -> None:
        self._topology = topology
        self._layout = layout
        self._servers = servers
        self._members = members
        self._inside: dict[str, socket.socket] = {}
        ports = {name: server.getsockname()[1] for name, server in servers.items()}
        self._known = {
            cluster.name: _credentials(cluster, layout, ports[cluster.name]) for cluster in topology.clusters
        }

    def everything(self) -> Iterator[Program]:
        """Yield the lab's processes, in the order in which they start: API servers first."""
        yield from [self._api_server(cluster) for cluster in self._topology.clusters]
        for cluster in self._topology.clusters:
            yield self._controllers(cluster)
            for node in cluster.nodes:
                yield from self._node(node)

    def on_node(self, cluster: Cluster, node: Node) -> Iterator[Program]:
        """Yield what runs on a node."""
        if node == cluster.nodes[0]:
            yield self._api_server(cluster)
            yield self._controllers(cluster)
        yield from self._node(node)

    def leave(self, cluster: Cluster, node: Node) -> None:
        """Let go of what would keep the network of a node alive."""
        if node == cluster.nodes[0]:
            self._inside.pop(cluster.name).close()

    def _api_server(self, cluster: Cluster) -> Program:
        self._inside[cluster.name] = _listen_on_lan(cluster)
        listeners = (self._inside[cluster.name], self._servers[cluster.name])
        return _api_server(cluster, self._layout, self._known[cluster.name], listeners)

    def _controllers(self, cluster: Cluster) -> Program:
        home = self._members[cluster.nodes[0].name]
        return _controllers(cluster, self._layout, self._known[cluster.name], home, self._topology.grace)

    def _node(self, node: Node) -> Iterator[Program]:
        known = self._known[node.cluster]
        return _node(node, self._layout, known, self._members[node.name], self._topology.grace)


def _listen_on_lan(cluster: Cluster) -> socket.socket:
    first = cluster.nodes[0]
    with ns.entered(network(first.name)):
        server = socket.create_server((first.address, API_PORT), backlog=1024)
    server.setblocking(False)
    return server


def _outside(port: int) -> str:
    return f"https://127.0.0.1:{port}"


def _credentials(cluster: Cluster, layout: Layout, port: int) -> Credentials:
    from kubeslice.lab.apiserver import pki  # noqa: PLC0415 - imported when the lab is warm
    from kubeslice.lab.apiserver.kubeconfig import kubeconfig  # noqa: PLC0415

    files = pki.Files(layout.data(cluster))
    first = cluster.nodes[0]
    pki.ensure(files, (first.address, first.name, KUBERNETES_SERVICE))
    url = f"https://{first.address}:{API_PORT}"
    # The API server writes this too, but only when it is up: who waits for it must know where it will be.
    pki.write_secret(files.kubeconfig, kubeconfig(_outside(port), files.ca.read_bytes(), files.admin_token.read_text()))
    tokens = [secrets.token_urlsafe(24) for _ in range(3)]
    pki.write_secret(files.directory / "kubelet.token", tokens[2])
    return Credentials(url, files.ca.read_bytes(), *tokens)


def _api_server(
    cluster: Cluster, layout: Layout, known: Credentials, listeners: tuple[socket.socket, socket.socket]
) -> Program:
    def main() -> None:
        from kubeslice.lab.apiserver.config import ServerConfig  # noqa: PLC0415
        from kubeslice.lab.apiserver.interfaces import UserInfo  # noqa: PLC0415
        from kubeslice.lab.apiserver.server import serve  # noqa: PLC0415

        first = cluster.nodes[0]
        ns.enter(network(first.name), "net")
        config = ServerConfig(
            data_dir=layout.data(cluster),
            host=first.address,
            port=API_PORT,
            names=(first.name, KUBERNETES_SERVICE),
            advertise=_outside(listeners[1].getsockname()[1]),
            kubelet_token_file=layout.data(cluster) / "kubelet.token",
            tokens={
                known.kubelet: UserInfo("system:node", (NODES,)),
                known.controllers: UserInfo("system:kube-controller-manager", (ADMINISTRATORS,)),
            },
            sockets=listeners,
        )
        _run(serve(config))

    name = f"{cluster.name}/apiserver"
    keeps = tuple(listener.fileno() for listener in listeners)
    return Program(name, layout.title(name), main, layout.log(name), keeps, cluster.nodes[0].name)


def _controllers(cluster: Cluster, layout: Layout, known: Credentials, home: nodes.Namespaces, grace: int) -> Program:
    def main() -> None:
        from kubeslice.lab.installation import run_controllers  # noqa: PLC0415

        ns.setns(home["net"], ns.CLONE_NEWNET)
        _run(run_controllers(known.kubeconfig(known.controllers), known.authority.decode(), cluster, grace))

    name = f"{cluster.name}/controllers"
    return Program(name, layout.title(name), main, layout.log(name), (home["net"],), cluster.nodes[0].name)


def _node(node: Node, layout: Layout, known: Credentials, members: nodes.Namespaces, grace: int) -> Iterator[Program]:
    def kubelet() -> None:
        from kubeslice.lab.kubelet.main import Settings, serve  # noqa: PLC0415

        nodes.join(members)
        _run(serve(Settings(node, known.kubeconfig(known.kubelet), known.inbound, grace)))

    def proxy() -> None:
        from kubeslice.lab.installation import run_proxy  # noqa: PLC0415

        nodes.join(members)
        _run(run_proxy(known.kubeconfig(known.kubelet), node, POD_NETWORK))

    for kind, main in (("kubelet", kubelet), ("proxy", proxy)):
        name = f"{node.cluster}/{kind}-{node.number}"
        yield Program(name, layout.title(name), main, layout.log(name), tuple(members.values()), node.name)


def _run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(_until_terminated(work))


async def _until_terminated(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, partial(task.cancel))
    try:
        await task
    except asyncio.CancelledError:
        return
