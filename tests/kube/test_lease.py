"""Leader election between candidates at a real API server: one leads, an orderly end hands over, a theft is noticed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from kubeslice.kube import lease as leases
from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.http import HttpApi
from kubeslice.kube.lease import Leader, LeadershipLost
from kubeslice.model.resources import LEASES
from tests.conftest import ApiServer

pytestmark = pytest.mark.api

NAMESPACE = "default"


@pytest.fixture
async def api(api_server: ApiServer) -> AsyncIterator[HttpApi]:
    async with HttpApi(from_kubeconfig(api_server.kubeconfig)) as api:
        yield api


class Candidacy:
    """A candidate as a task, and whether it leads."""

    def __init__(self, api: HttpApi, lease: str, identity: str, duration: float = leases.DURATION) -> None:
        self.leads = asyncio.Event()
        self.task = asyncio.create_task(Leader(api, lease, NAMESPACE, identity, duration).run(self._lead))

    async def _lead(self) -> None:
        self.leads.set()
        await asyncio.Event().wait()

    async def end(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


async def until(event: asyncio.Event) -> None:
    async with asyncio.timeout(5):
        await event.wait()


async def test_one_leads_and_hands_over_when_it_ends_in_order(api: HttpApi) -> None:
    first = Candidacy(api, "handover", "first")
    await until(first.leads)
    second = Candidacy(api, "handover", "second")
    await asyncio.sleep(2 * leases.DURATION / leases.TRIES)
    assert not second.leads.is_set()
    await first.end()
    await until(second.leads)
    await second.end()


async def test_a_holder_renews_and_says_since_when(api: HttpApi) -> None:
    holder = Candidacy(api, "renewal", "holder", duration=0.3)
    await until(holder.leads)
    before = (await api.get(LEASES, "renewal", NAMESPACE))["spec"]
    await asyncio.sleep(0.5)
    after = (await api.get(LEASES, "renewal", NAMESPACE))["spec"]
    await holder.end()
    assert after["renewTime"] > before["renewTime"]
    assert after["acquireTime"] == before["acquireTime"]
    assert (after["holderIdentity"], after["leaseTransitions"]) == ("holder", before["leaseTransitions"])


async def test_who_stands_by_waits_for_as_long_as_the_holder_counts(api: HttpApi) -> None:
    held = {"holderIdentity": "patient", "leaseDurationSeconds": 30}
    await api.create(LEASES, {"metadata": {"name": "patience", "namespace": NAMESPACE}, "spec": held})
    hasty = Candidacy(api, "patience", "hasty", duration=0.3)
    await asyncio.sleep(0.8)
    assert not hasty.leads.is_set()
    await hasty.end()


async def test_a_holder_that_was_robbed_stops_leading(api: HttpApi) -> None:
    robbed = Candidacy(api, "theft", "robbed", duration=0.5)
    await until(robbed.leads)
    await api.patch(LEASES, "theft", NAMESPACE, {"spec": {"holderIdentity": "thief"}})
    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.timeout(5):
            await robbed.task
    assert caught.group_contains(LeadershipLost)
    assert (await api.get(LEASES, "theft", NAMESPACE))["spec"]["holderIdentity"] == "thief"
