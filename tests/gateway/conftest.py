"""Kernel tests of this package share the kernel and two clusters, whose logs a failure shows."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.clusters import Cluster, some_clusters
from tests.kernel import Kernel, kernel

__all__ = ["kernel"]


@pytest.fixture
async def clusters(kernel: Kernel, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[list[Cluster]]:
    """Yield clusters with an agent each: two, or as many as the test's parameter says."""
    async with some_clusters(kernel, getattr(request, "param", 2), tmp_path) as made:
        for cluster in made:
            cluster.run("agent", HEALTH_PORT="9479")
        try:
            yield made
        finally:
            for cluster in made:
                for component in cluster.processes:
                    print(f"--- {cluster.name} {component}\n{cluster.log(component)}"[-4000:])
