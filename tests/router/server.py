"""An API server of the lab that processes in other network namespaces can call."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from kubeslice.kube import config
from kubeslice.kube.http import HttpApi
from kubeslice.linux import netns
from kubeslice.linux.netns import Namespace
from kubeslice.model import names
from kubeslice.model.crd import crd
from kubeslice.model.resources import CRDS, NAMESPACES, Resource
from kubeslice.model.slice import Slice
from kubeslice.model.slicegateway import SliceGateway
from tests.applied import applied
from tests.clusters import until
from tests.relay import Relay

Object = dict[str, Any]


class Server:
    """One API server with the kinds of a worker cluster, on one port of every namespace that was opened to it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.kubeconfig = directory / "admin.kubeconfig"
        self.api: HttpApi
        self._port = _free_port()
        self._relays: list[Relay] = []
        self._process: subprocess.Popen[bytes]

    async def start(self) -> None:
        """Bring it up."""
        self._spawn()
        await until(lambda: self.kubeconfig.exists() and self.kubeconfig.stat().st_size, 15)
        self.api = HttpApi(config.from_kubeconfig(self.kubeconfig))
        for kind in (Slice, SliceGateway):
            await self.apply(CRDS, crd(kind))
        await self.apply(NAMESPACES, {"metadata": {"name": names.WORKER_NAMESPACE}})

    def _spawn(self) -> None:
        self.directory.mkdir()
        options = ["--data-dir", str(self.directory), "--listen", f"127.0.0.1:{self._port}", "--name", "127.0.0.1"]
        with (self.directory / "log").open("wb") as log:
            command = [sys.executable, "-m", "kubeslice.lab.apiserver", *options]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    async def apply(self, resource: Resource, obj: Object) -> None:
        """Apply an object, again while the server or the kind is new."""
        await applied(self.api, resource, obj)

    async def open_inside(self, namespace: Namespace) -> None:
        """Let processes in a namespace call the server."""
        with netns.inside(namespace):
            ear = socket.create_server(("127.0.0.1", self._port))
        relay = Relay(self._port)
        await relay.open(ear)
        self._relays.append(relay)

    async def stop(self) -> None:
        """End it."""
        await self.api.close()
        for relay in self._relays:
            await relay.close()
        self._process.terminate()
        await asyncio.to_thread(self._process.wait, 10)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
