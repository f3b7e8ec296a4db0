"""A set of objects brought to an API server in one go."""

import pytest

from kubeslice.kube.applyset import Item, sync
from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.errors import NotFound
from kubeslice.kube.http import HttpApi
from kubeslice.model.errors import Retry
from kubeslice.model.resources import CONFIGMAPS
from tests.conftest import ApiServer

pytestmark = pytest.mark.api


async def test_one_that_has_to_wait_stops_none_of_the_others_and_no_more_than_that(api_server: ApiServer) -> None:
    def item(name: str, namespace: str) -> Item:
        return Item(CONFIGMAPS, {"metadata": {"name": name, "namespace": namespace}, "data": {}})

    async with HttpApi(from_kubeconfig(api_server.kubeconfig)) as api:
        old = item("applyset-old", "default")
        await sync(api, "test", [old], [])
        wanted = [item("a", "not-there-yet"), *(item(f"applyset-{number}", "default") for number in range(3))]
        with pytest.raises(Retry, match="not-there-yet"):
            await sync(api, "test", wanted, [old])
        made = wanted[1:]
        for one in (old, *made):
            await api.get(CONFIGMAPS, one.object["metadata"]["name"], "default")
        await sync(api, "test", [], [old, *made])
        with pytest.raises(NotFound):
            await api.get(CONFIGMAPS, "applyset-old", "default")
