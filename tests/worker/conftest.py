"""Two clusters that are a test's own, and an operator that it may start between them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kubeslice.plan.cluster.workloads import Build
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.worker.hubtoken import HubToken
from kubeslice.worker.settings import Settings
from tests.conftest import ApiServer
from tests.worker import clusters
from tests.worker.clusters import CLUSTER, SYSTEM
from tests.worker.stage import Stage


@pytest.fixture(scope="package")
def template(given_servers: list[ApiServer], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of both API servers, taught once."""
    made = tmp_path_factory.mktemp("template")
    if not given_servers:
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            runner.run(clusters.make(made))
    return made


@pytest.fixture
async def stage(given_servers: list[ApiServer], template: Path, tmp_path: Path) -> AsyncIterator[Stage]:
    """Hub and worker with their kinds, one node, a registered cluster; the operator is not running yet."""
    settings = Settings(
        member=Member("acme", CLUSTER),
        identity="test",
        pod_namespace=SYSTEM,
        hub_credentials=tmp_path,
        health_port=0,
        keep_forgotten=3600.0,
        build=Build("kubeslice/kubeslice:1"),
    )
    both = clusters.furnished(given_servers) if given_servers else clusters.copied(template, tmp_path)
    async with both as (hub, own):
        result = Stage(hub, own, settings, HubToken())
        yield result
        await result.stop()
