"""Kernel tests of this package share three clusters; each test leaves them as it found them."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.clusters import Cluster, some_clusters
from tests.kernel import a_kernel, kernel

__all__ = ["kernel"]


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[Cluster]]:
    """Run three clusters with an agent each."""
    directory = tmp_path_factory.mktemp("clusters")
    with a_kernel(directory / "netns") as own:
        async with some_clusters(own, 3, directory) as made:
            for cluster in made:
                cluster.run("agent", HEALTH_PORT="9479")
            yield made


@pytest_asyncio.fixture(loop_scope="session")
async def clusters(world: list[Cluster], request: pytest.FixtureRequest) -> AsyncIterator[list[Cluster]]:
    """Yield clusters for one test, whose logs a failure shows: two, or as many as the test's parameter says."""
    made = world[: getattr(request, "param", 2)]
    try:
        yield made
    finally:
        for cluster in made:
            for component in cluster.processes:
                print(f"--- {cluster.name} {component}\n{cluster.log(component)}"[-4000:])
            await cluster.clear()
