"""An API server whose Services have loopback addresses, so that it can call a webhook in this process."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.http import HttpApi
from kubeslice.model.resources import SERVICES
from tests.conftest import ApiServer, _free_port, start_api_server
from tests.given import left_as_found


@pytest.fixture(scope="session")
def loopback_cluster(given_servers: list[ApiServer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of the administrator."""
    if given_servers:
        yield given_servers[0].kubeconfig
        return
    directory = tmp_path_factory.mktemp("webhook-apiserver")
    # A network of this run's own: another run on the machine could listen at the same ClusterIP.
    services = f"127.{16 + os.getpid() % 200}.0.0/16"
    process = start_api_server(directory, _free_port(), "--service-cidr", services)
    yield directory / "admin.kubeconfig"
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture
async def admin(given_servers: list[ApiServer], loopback_cluster: Path) -> AsyncIterator[HttpApi]:
    async with HttpApi(from_kubeconfig(loopback_cluster)) as api:
        own_service = await api.get(SERVICES, "kubernetes", "default")
        if not own_service["spec"]["clusterIP"].startswith("127."):
            pytest.skip("the Services of the given server have no loopback addresses, so it cannot call this process")
        async with left_as_found(api) if given_servers else nullcontext():
            yield api
