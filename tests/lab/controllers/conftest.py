"""Fixtures of the controllers' tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.lab.controllers.cluster import Cluster, started


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    """A cluster of two nodes."""
    async with started(tmp_path) as made:
        await made.add_node("n-1")
        await made.add_node("n-2")
        yield made
