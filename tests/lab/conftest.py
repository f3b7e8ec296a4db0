"""A small lab for the black-box tests: a hub, and a worker cluster with two nodes. Shared; tests use own names."""

import json
import os
from collections.abc import AsyncIterator, Iterator

import pytest

from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.http import HttpApi
from kubeslice.lab import commands
from kubeslice.lab.topology import Topology, lab_topology
from tests.lab.cluster import CLUSTER, Cluster

NAME = f"test{os.getpid()}"
GRACE = 6


@pytest.fixture(scope="session")
def lab() -> Iterator[Topology]:
    if os.geteuid() != 0:
        pytest.skip("a lab needs root")
    topology = lab_topology(1, name=NAME, grace=GRACE)
    commands.up(topology)
    try:
        yield topology
    finally:
        commands.down(NAME)


@pytest.fixture
async def cluster(lab: Topology) -> AsyncIterator[Cluster]:
    async with HttpApi(from_kubeconfig(json.loads(commands.kubeconfig(CLUSTER, lab.name)))) as api:
        found = Cluster(api, lab.name)
        yield found
        await found.clean()
