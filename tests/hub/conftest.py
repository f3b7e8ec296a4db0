"""The API server of the test run with the hub's manifests, and a hub that runs with its own credential."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.http import HttpApi
from kubeslice.lab.controllers import main as controllers
from tests.conftest import ApiServer
from tests.given import left_as_found
from tests.hub.stage import Stage


@pytest.fixture(scope="package")
def installed(api_server: ApiServer) -> None:
    """The hub's manifests, on a server of this run's own: a given one is swept after each test and gets them anew."""
    if not api_server.is_given:
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            runner.run(_install(api_server))


async def _install(api_server: ApiServer) -> None:
    async with HttpApi(from_kubeconfig(api_server.kubeconfig)) as admin:
        await Stage(api_server.url, admin).install()


@pytest.fixture
async def stage(api_server: ApiServer, installed: None) -> AsyncIterator[Stage]:
    """A stage of its own project, with the hub and the cluster's controllers running."""
    async with HttpApi(from_kubeconfig(api_server.kubeconfig)) as admin:
        surroundings = left_as_found(admin) if api_server.is_given else _controllers(admin)
        async with surroundings:
            stage = Stage(api_server.url, admin)
            if api_server.is_given:
                await stage.install()
            await stage.start_hub()
            yield stage
            await stage.close()


@asynccontextmanager
async def _controllers(admin: HttpApi) -> AsyncIterator[None]:
    running = asyncio.create_task(controllers.run(admin))
    yield
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
