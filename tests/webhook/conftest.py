"""An API server whose Services have loopback addresses, so that it can call a webhook in this process."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.http import HttpApi
from tests.conftest import _free_port, start_api_server


@pytest.fixture(scope="session")
def loopback_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of the administrator."""
    directory = tmp_path_factory.mktemp("webhook-apiserver")
    process = start_api_server(directory, _free_port(), "--service-cidr", "127.96.0.0/16")
    yield directory / "admin.kubeconfig"
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture
async def admin(loopback_cluster: Path) -> AsyncIterator[HttpApi]:
    async with HttpApi(from_kubeconfig(loopback_cluster)) as api:
        yield api
