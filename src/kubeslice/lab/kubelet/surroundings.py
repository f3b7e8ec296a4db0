"""What all workers of a kubelet share: the node, the API, local copies of Secrets and ConfigMaps, addresses in use."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kubeslice.kube.api import Api, Object
from kubeslice.kube.events import Recorder
from kubeslice.kube.informer import Informer
from kubeslice.lab.kubelet.environment import Lookup
from kubeslice.lab.kubelet.records import Sandbox
from kubeslice.lab.topology import Node


@dataclass
class Surroundings:
    """One kubelet's shared state. `last_address` is the pod address given out last."""

    node: Node
    api: Api
    secrets: Informer
    config_maps: Informer
    recorder: Recorder
    tasks: asyncio.TaskGroup
    last_address: str = ""
    _addresses: dict[str, str] = field(default_factory=dict)

    def taken(self) -> list[str]:
        """Return the pod addresses in use."""
        return list(self._addresses.values())

    def reserve(self, sandbox: Sandbox) -> None:
        """Note that a sandbox has its address."""
        if sandbox.network:
            self._addresses[sandbox.uid] = sandbox.address

    def release(self, sandbox: Sandbox) -> None:
        """Note that a sandbox is gone."""
        self._addresses.pop(sandbox.uid, None)

    def secret(self, namespace: str) -> Lookup:
        """Return how to find Secrets of a namespace."""
        return lambda name: self.secrets.get(name, namespace)

    def config_map(self, namespace: str) -> Lookup:
        """Return how to find ConfigMaps of a namespace."""
        return lambda name: self.config_maps.get(name, namespace)

    def warn(self, pod: Object, reason: str, message: str) -> None:
        """Tell people by an event, without waiting for it."""
        self.spawn(self.recorder.emit(pod, "Warning", reason, message))

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside the caller for as long as the kubelet lives."""
        return self.tasks.create_task(work)


def now_text() -> str:
    """Return the time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node_files() -> dict[str, str]:
    """Return the node's own hosts, hostname and resolv.conf."""
    return {name: Path("/etc", name).read_text() for name in ("hosts", "hostname", "resolv.conf")}
