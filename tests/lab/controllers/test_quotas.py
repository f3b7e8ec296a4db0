"""A ResourceQuota in a whole cluster: counted, and kept."""

from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.kube.errors import Forbidden
from kubeslice.model.resources import PODS, RESOURCEQUOTAS
from tests.lab.controllers.cluster import Cluster

pytestmark = pytest.mark.api


def pod(name: str) -> Any:
    container = {"name": "c", "image": "busybox", "resources": {"requests": {"cpu": "100m"}}}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"containers": [container]}}


async def test_one_pod_more_than_a_quota_allows_is_refused_until_another_goes(cluster: Cluster) -> None:
    async def used(expected: dict[str, str]) -> None:
        async def told() -> bool:
            found = await cluster.api.get(RESOURCEQUOTAS, "q", "default")
            return bool(objects.status(found).get("used") == expected)

        await cluster.eventually(told)

    spec = {"hard": {"pods": "2", "requests.cpu": 1}}
    await cluster.api.create(RESOURCEQUOTAS, {"metadata": {"name": "q", "namespace": "default"}, "spec": spec})
    await used({"pods": "0", "requests.cpu": "0"})
    await cluster.api.create(PODS, pod("a"))
    await cluster.api.create(PODS, pod("b"))
    with pytest.raises(Forbidden, match="exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"):
        await cluster.api.create(PODS, pod("c"))
    await used({"pods": "2", "requests.cpu": "200m"})
    await cluster.api.delete(PODS, "a", "default", grace_seconds=0)
    await cluster.is_gone(PODS, "a", "default")
    await cluster.api.create(PODS, pod("c"))
    await used({"pods": "2", "requests.cpu": "200m"})
