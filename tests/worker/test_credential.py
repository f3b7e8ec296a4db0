"""A worker replaces what it was brought to join with by a credential of its own, and renews that one."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from kubeslice.install import worker
from kubeslice.kube import objects
from kubeslice.kube.config import Connection
from kubeslice.kube.errors import Unauthorized
from kubeslice.kube.http import HttpApi
from kubeslice.kube.tokens import request_token
from kubeslice.manifests import Image
from kubeslice.model import names, resources
from kubeslice.model.errors import Terminal
from kubeslice.model.project import ProjectSpec
from kubeslice.plan.cluster.localnames import LocalNames
from kubeslice.plan.tenants import credentials, tenancy
from kubeslice.plan.tenants.credentials import Token
from kubeslice.plan.tenants.joining import JoinToken
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.runtime.clock import SystemClock
from kubeslice.runtime.metrics import CollectorRegistry
from kubeslice.runtime.reporting import Reporter
from kubeslice.worker.caches import Caches, OwnCaches
from kubeslice.worker.enrollment import Enrollment
from kubeslice.worker.forgotten import Forgotten
from kubeslice.worker.hubtoken import HubToken
from kubeslice.worker.membership import Membership
from kubeslice.worker.metrics import WorkerMetrics
from kubeslice.worker.renewal import Renewal
from tests.worker.clusters import CLUSTER, OWN_ON_HUB, PROJECT, SYSTEM, eventually
from tests.worker.stage import Stage

pytestmark = pytest.mark.api

ACCOUNT = names.worker_account(CLUSTER)


async def brought(stage: Stage, token: str) -> None:
    """Put a token where the worker looks for it, as people do."""
    data = {names.BROUGHT_TOKEN: base64.b64encode(token.encode()).decode()}
    secret = {"metadata": {"name": names.HUB_SECRET, "namespace": SYSTEM}, "data": data}
    await stage.own.apply(resources.SECRETS, secret, manager="people")


async def present(stage: Stage) -> str:
    secret = await stage.own_object(resources.SECRETS, names.HUB_SECRET)
    return base64.b64decode(secret["data"].get(names.OWN_TOKEN) or "").decode()


async def to_join_with(stage: Stage) -> str:
    secret = await stage.hub.get(resources.SECRETS, ACCOUNT, PROJECT)
    bound = {"kind": "Secret", "name": ACCOUNT, "uid": objects.uid(secret)}
    return await request_token(stage.hub, ACCOUNT, PROJECT, 600, bound)


async def own_token(stage: Stage, *, other_than: str = "") -> Token:
    async def found() -> Token | None:
        text = await present(stage)
        token = credentials.read(text)
        return token if token and token.is_own and text != other_than else None

    return await eventually(found)  # type: ignore[no-any-return]


@pytest.fixture
async def joining(stage: Stage) -> AsyncIterator[tuple[Stage, HttpApi]]:
    """A worker that has on the hub what its Secret gives it, and that Secret is not there yet."""
    for resource, obj in tenancy.cluster_objects(Member("acme", CLUSTER), ProjectSpec(), {}):
        await stage.hub.apply(resource, obj, manager="test")
    to, stage.token = stage.hub._to, HubToken()
    async with HttpApi(Connection(to.host, to.port, to.tls, stage.token, to.server_name)) as hub:
        yield stage, hub
        await stage.stop()


async def test_a_worker_joins_with_one_token_and_lives_on_another(joining: tuple[Stage, HttpApi]) -> None:
    stage, hub = joining
    await brought(stage, await to_join_with(stage))
    await stage.start(hub)
    first = await own_token(stage)
    assert first.expires is not None
    assert first.issued is not None
    assert (first.expires - first.issued).total_seconds() == credentials.DEFAULT_SECONDS
    await told(stage, "Renewed", first)

    await stage.hub.delete(resources.SECRETS, ACCOUNT, PROJECT)
    await brought(stage, "what a tool keeps in the Secret as it was declared")
    await stage.slice()
    await eventually(lambda: stage.own_object(resources.SLICES, "red"))

    began = time.monotonic()
    await stage.hub.delete(resources.SERVICEACCOUNTS, ACCOUNT, PROJECT)
    with pytest.raises(Unauthorized):
        await hub.list(resources.WORKERSLICECONFIGS, OWN_ON_HUB)
    assert time.monotonic() - began < 1
    await eventually(lambda: refused(stage))
    for resource, obj in tenancy.cluster_objects(Member("acme", CLUSTER), ProjectSpec(), {}):
        await stage.hub.apply(resource, obj, manager="test")
    before = await present(stage)
    used = await to_join_with(stage)
    await brought(stage, used)
    second = await own_token(stage, other_than=before)
    assert second.account_uid != first.account_uid
    await told(stage, "Renewed", second)
    place = {"projectNamespace": PROJECT, "clusterName": CLUSTER}
    data = {key: base64.b64encode(text.encode()).decode() for key, text in place.items()}
    await stage.own.patch(resources.SECRETS, names.HUB_SECRET, SYSTEM, {"data": data})
    with pytest.raises(Terminal, match=f"{CLUSTER} of project acme already"):
        await worker.join(stage.own, JoinToken("https://192.0.2.1", "CA", "acme", "other", "t"), Image("kubeslice"))
    with pytest.raises(Terminal, match="it is used up"):
        await worker.join(stage.own, JoinToken("https://192.0.2.1", "CA", "acme", CLUSTER, used), Image("kubeslice"))


async def told(stage: Stage, reason: str, token: Token | None = None) -> str:
    """Wait until the Cluster says so, and with the times of this token; return the sentence."""

    async def found() -> str:
        cluster = await stage.hub_object(resources.CLUSTERS, CLUSTER, PROJECT)
        condition = objects.condition(cluster, credentials.RENEWED) or {}
        is_it = condition.get("reason") == reason
        is_it = is_it and (token is None or objects.status(cluster).get("credential") == token.wire())
        return str(condition["message"]) if is_it else ""

    return str(await eventually(found))


async def refused(stage: Stage) -> bool:
    found = await stage.own_object(resources.SLICES, "red")
    return (objects.condition(found, "HubReachable") or {}).get("reason") == "CredentialRefused"


class Later(SystemClock):
    """A clock that is ahead."""

    def __init__(self, hours: float) -> None:
        self._ahead = timedelta(hours=hours)

    def now(self) -> datetime:
        return super().now() + self._ahead


@asynccontextmanager
async def renewing(stage: Stage, hub: HttpApi, hours: float) -> AsyncIterator[tuple[Renewal, WorkerMetrics]]:
    """Run the renewal alone, so many hours later."""
    metrics, token, member = WorkerMetrics(CollectorRegistry()), stage.token, stage.settings.member
    clock = Later(hours)
    membership = Membership(Enrollment(member, hub, token, LocalNames(member.project)), metrics, clock)
    caches = Caches(OwnCaches(stage.own), [membership], Forgotten(clock, 0))
    token.follow(caches.own.hub_secret, membership.secret)
    membership.link.succeeded()
    renewal = Renewal(membership, caches, Reporter(stage.own, names.WORKER_MANAGER, None, clock), metrics)
    steps = (renewal.run, caches.own.hub_secret.run, membership.caches.cluster.run)
    tasks = [asyncio.create_task(step()) for step in steps]
    yield renewal, metrics
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def lives(stage: Stage, seconds: int) -> None:
    """Play the hub that says how long tokens shall live."""
    body = {"metadata": {"name": CLUSTER, "namespace": PROJECT}, "status": {"credentialSeconds": seconds}}
    await stage.hub.apply(resources.CLUSTERS, body, manager=names.HUB_MANAGER, subresource="status")


async def test_a_third_of_its_life_before_the_end_a_credential_is_renewed(joining: tuple[Stage, HttpApi]) -> None:
    stage, hub = joining
    await brought(stage, await to_join_with(stage))
    async with renewing(stage, hub, 0):
        await own_token(stage)
    first = await present(stage)
    async with renewing(stage, hub, 15.9) as (renewal, _):
        await eventually(lambda: is_told(renewal, "Renewed"))
        assert await present(stage) == first
    async with renewing(stage, hub, 16.1) as (renewal, _):
        await own_token(stage, other_than=first)
    second = await present(stage)

    # No API server gives out tokens for so short a time: a renewal that fails is told and counted, and tried again.
    await lives(stage, 60)
    async with renewing(stage, hub, 1) as (renewal, metrics):
        await eventually(lambda: is_told(renewal, "RenewalFailed"))
        assert "10 minutes" in renewal.finding.message
        assert metrics.hub_credential_failures.labels("acme")._value.get() >= 1
        assert metrics.hub_credential_expires.labels("acme")._value.get() > time.time()
        await lives(stage, 1200)
        await own_token(stage, other_than=second)
        await eventually(lambda: is_told(renewal, "Renewed"))


async def is_told(renewal: Renewal, reason: str) -> bool:
    return renewal.finding.reason == reason
