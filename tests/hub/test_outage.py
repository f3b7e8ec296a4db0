"""The hub while its API server is away."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubeslice.kube import objects
from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.http import HttpApi
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.runtime.metrics import render
from tests.conftest import ApiServer, _free_port, start_api_server
from tests.hub.stage import Stage

pytestmark = pytest.mark.api


class Server:
    """An embedded API server that only this test uses, because it kills it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = start_api_server(self.directory, self.port)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def server(given_servers: list[ApiServer], tmp_path: Path) -> Iterator[Server]:
    if given_servers:
        pytest.skip("kills its API server, and a given one is not ours to kill")
    server = Server(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.mark.parametrize("seconds", [0.0, 4.0], ids=["within the lease", "beyond the lease"])
async def test_a_hub_survives_its_api_server(server: Server, seconds: float) -> None:
    async with HttpApi(from_kubeconfig(server.directory / "admin.kubeconfig")) as admin:
        stage = Stage(f"https://127.0.0.1:{server.port}", admin)
        await stage.install()
        await stage.start_hub()
        await stage.make_project()
        await stage.register("a")
        await stage.make_slice("red", "a")
        await stage.until(lambda: stage.find(r.WORKERSLICECONFIGS, "red-a", stage.namespace_of("a")))
        server.kill()
        await asyncio.sleep(seconds)
        server.start()
        await stage.until(lambda: stage.is_served(r.SLICECONFIGS))
        await stage.make_slice("blue", "a", sliceSubnet="10.2.0.0/16")
        await stage.until(lambda: stage.find(r.WORKERSLICECONFIGS, "blue-a", stage.namespace_of("a")), seconds=20)
        await stage.close()


async def test_a_lone_hub_that_cannot_renew_in_time_goes_on_when_it_can_again(stage: Stage) -> None:
    await stage.stop_hub()
    stage.term = 0.6
    await stage.start_hub()

    async def leads(number: float) -> bool:
        return stage.process.is_ready and f"kubeslice_hub_leading {number}" in render(stage.registry).decode()

    await stage.until(lambda: leads(1.0))
    may = await stage.admin.get(r.ROLEBINDINGS, "kubeslice-hub", names.HUB_NAMESPACE)
    await stage.admin.delete(r.ROLEBINDINGS, "kubeslice-hub", names.HUB_NAMESPACE)
    await stage.until(lambda: leads(0.0))  # and knows everything all the time
    again = {"metadata": {"name": "kubeslice-hub", "namespace": names.HUB_NAMESPACE, "labels": objects.labels(may)}}
    again |= {key: may[key] for key in ("roleRef", "subjects")}
    await stage.admin.apply(r.ROLEBINDINGS, again, manager="test")
    await stage.until(lambda: leads(1.0))
    await stage.make_project()
