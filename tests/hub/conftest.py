"""An API server with the hub's manifests, and a hub that runs with its own credential."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest

from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.http import HttpApi
from kubeslice.lab.controllers import main as controllers
from tests.hub.stage import Server, Stage


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("apiserver"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def stage(server: Server) -> AsyncIterator[Stage]:
    """A stage of its own project, with the hub and the cluster's controllers running."""
    async with HttpApi(from_kubeconfig(server.kubeconfig)) as admin:
        running = asyncio.create_task(controllers.run(admin))
        stage = Stage(server, admin)
        await stage.install()
        await stage.start_hub()
        yield stage
        await stage.stop_hub()
        await stage.close()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
