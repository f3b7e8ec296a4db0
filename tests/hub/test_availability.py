"""Several replicas of the hub as processes: the leader ends in order, or is killed while there is much to do."""

import asyncio
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from kubeslice.kube import objects
from kubeslice.model import names
from kubeslice.model import resources as r
from tests.conftest import _free_port
from tests.hub.stage import Stage

pytestmark = pytest.mark.api

MEMBERS = ("a", "b", "c")
SLICES = 8


class Replicas:
    """Hubs in processes of their own, by name."""

    def __init__(self, stage: Stage, directory: Path) -> None:
        self.stage = stage
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._directory = directory
        self._ports: dict[str, int] = {}

    async def start(self, name: str) -> None:
        """Start one and wait until it is ready to take over."""
        config = self._directory / "kubeconfig"
        if not config.exists():
            config.write_text(json.dumps(await self.stage.kubeconfig("kubeslice-hub-test", names.HUB_NAMESPACE)))
        self._ports[name] = _free_port()
        command = [sys.executable, "-m", "tests.hub.replica", str(config), name, str(self._ports[name])]
        self.running[name] = await asyncio.to_thread(self._launch, command, self._directory / f"{name}.log")
        await self.stage.until(lambda: asyncio.to_thread(self._is_ready, name), seconds=30)

    async def end(self, name: str, number: signal.Signals) -> float:
        """Send a signal to one; return after how many seconds another one leads."""
        process, began = self.running.pop(name), time.monotonic()
        process.send_signal(number)
        await self.stage.until(lambda: self._is_led_by_another(name), seconds=20)
        taken = time.monotonic() - began
        await asyncio.to_thread(process.wait)
        return taken

    async def leader(self) -> str:
        lease = await self.stage.find(r.LEASES, names.LEADER_LEASE, names.HUB_NAMESPACE)
        return str((objects.spec(lease) if lease else {}).get("holderIdentity") or "")

    def close(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()

    def _launch(self, command: list[str], log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as file:
            return subprocess.Popen(command, stderr=file)

    async def _is_led_by_another(self, name: str) -> bool:
        return await self.leader() in set(self.running) - {name}

    def _is_ready(self, name: str) -> bool:
        with suppress(OSError):
            return bool(urllib.request.urlopen(f"http://127.0.0.1:{self._ports[name]}/readyz", timeout=2).status == 200)
        return False


@pytest.fixture
async def replicas(stage: Stage, tmp_path: Path) -> AsyncIterator[Replicas]:
    replicas = Replicas(stage, tmp_path)
    await stage.stop_hub()
    yield replicas
    replicas.close()


async def complete(stage: Stage, name: str) -> bool:
    """Tell whether every member of a slice has its place and its view of every other."""
    octets = set()
    for member in MEMBERS:
        config = await stage.find(r.WORKERSLICECONFIGS, f"{name}-{member}", stage.namespace_of(member))
        if config is None:
            return False
        octets.add(objects.spec(config)["octet"])
    rotation = await stage.find(r.VPNKEYROTATIONS, name, stage.home)
    return rotation is not None and octets == {0, 1, 2}


async def test_nothing_is_lost_when_the_leader_is_killed_in_the_middle(stage: Stage, replicas: Replicas) -> None:
    await replicas.start("first")
    await replicas.start("second")
    leader = await replicas.leader()
    assert await replicas.end(leader, signal.SIGTERM) < 2, "who ends in order gives the lease back"
    await replicas.start(leader)
    await stage.make_project()
    for member in MEMBERS:
        await stage.admin.apply(
            r.CLUSTERS, {"metadata": {"name": member, "namespace": stage.home}, "spec": {}}, manager="user"
        )
    await asyncio.gather(*(stage.until(lambda m=m: stage.find(r.NAMESPACES, stage.namespace_of(m))) for m in MEMBERS))  # type: ignore[misc]
    wanted = [f"s{number}" for number in range(SLICES)]
    for number, name in enumerate(wanted[: SLICES // 2]):
        await stage.make_slice(name, *MEMBERS, sliceSubnet=f"10.{number + 1}.0.0/16")
    killing = asyncio.create_task(replicas.end(await replicas.leader(), signal.SIGKILL))
    for number, name in enumerate(wanted[SLICES // 2 :], SLICES // 2):
        await stage.make_slice(name, *MEMBERS, sliceSubnet=f"10.{number + 1}.0.0/16")
    assert await killing < 5
    for name in wanted:
        await stage.until(lambda name=name: complete(stage, name), seconds=20)  # type: ignore[misc]
