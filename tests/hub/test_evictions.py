"""A cluster that is evicted, or taken out of its slice, is shut out at once, whatever its worker does."""

import time

import pytest

from kubeslice.cli import eviction
from kubeslice.install import worker
from kubeslice.kube import objects
from kubeslice.kube.errors import Forbidden, Unauthorized
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.model.errors import Terminal
from tests.hub.stage import HEARTBEAT, Stage, Worker
from tests.hub.test_slices import running, views

pytestmark = pytest.mark.api

# What a worker says of its cluster.
WELL = [
    {"type": kind, "status": "True", "reason": "Fine", "message": "fine", "lastTransitionTime": HEARTBEAT}
    for kind in ("Registered", "ComponentsHealthy")
]


async def held(workers: dict[str, Worker], cluster: str) -> None:
    """Let a worker hold on to everything it was given, as a worker does that never cleans up."""
    worker = workers[cluster]
    for kind in (r.WORKERSLICECONFIGS, r.WORKERSLICEGATEWAYS):
        for obj in (await worker.api.list(kind, worker.namespace)).items:
            patch = {"metadata": {"finalizers": ["kubeslice.io/never"]}}
            await worker.api.patch(kind, objects.name(obj), worker.namespace, patch)


async def no_view_of(stage: Stage, evicted: str, *others: str) -> bool:
    """Tell whether no other cluster has a view that is there to stay of this one."""
    return not [pair for pair in await views(stage, *others) if evicted in pair]


async def evict(stage: Stage, cluster: str, *, evicted: bool = True) -> None:
    await stage.admin.patch(r.CLUSTERS, cluster, stage.home, {"spec": {"evicted": evicted}})


async def says(stage: Stage, cluster: str, **wanted: tuple[str, str]) -> None:
    """Wait until conditions of a cluster have these statuses and reasons."""

    async def are_there() -> bool:
        entries = objects.conditions(await stage.admin.get(r.CLUSTERS, cluster, stage.home))
        found = {entry["type"]: (entry["status"], entry["reason"]) for entry in entries}
        return wanted.items() <= found.items()

    await stage.until(are_there)


async def test_an_evicted_cluster_is_forgotten_at_once_and_keeps_no_right(stage: Stage) -> None:
    workers = await running(stage, "a", "b", "c")
    await held(workers, "c")
    started = time.monotonic()
    await evict(stage, "c")
    await stage.until(lambda: no_view_of(stage, "c", "a", "b"))
    assert time.monotonic() - started < 3

    async def is_shut_out() -> bool:
        try:
            await workers["c"].api.list(r.WORKERSLICEGATEWAYS, stage.namespace_of("c"))
        except (Forbidden, Unauthorized):
            return True
        return False

    await stage.until(is_shut_out)
    await stage.gone(r.SECRETS, names.worker_account("c"), stage.home)
    await stage.gone(r.WORKERSLICECONFIGS, "red-c", stage.namespace_of("c"))
    for pair in (("c", "a"), ("c", "b")):
        await stage.gone(r.WORKERSLICEGATEWAYS, names.slice_gateway("red", *pair), stage.namespace_of("c"))
    for one, other in (("a", "c"), ("c", "a"), ("b", "c"), ("c", "b")):
        await stage.gone(r.SECRETS, names.slice_gateway("red", one, other), stage.namespace_of(one))
    await stage.condition(r.CLUSTERS, "c", stage.home, "Ready", "False", "Evicted")
    slice_ = await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "True", "c evicted")
    shown = {member["cluster"]: member for member in objects.status(slice_)["members"]}
    assert (shown["c"]["octet"], shown["c"]["ready"]) == (2, False)
    assert "evicted" in shown["c"]["message"]
    assert shown["a"]["ready"]
    assert set(await views(stage, "a", "b")) == {("a", "b"), ("b", "a")}


async def test_an_evicted_cluster_comes_back_with_its_place_and_a_new_credential(stage: Stage) -> None:
    workers = await running(stage, "a", "b")
    await workers["b"].beat(HEARTBEAT, conditions=WELL)
    before = await stage.admin.get(r.SECRETS, names.worker_account("b"), stage.home)
    told = await eviction.evict(stage.admin, await stage.admin.get(r.CLUSTERS, "b", stage.home), undo=False)
    assert "revoked" in told
    assert await stage.find(r.SECRETS, names.worker_account("b"), stage.home) is None, "what is said is so by then"
    await stage.gone(r.WORKERSLICECONFIGS, "red-b", stage.namespace_of("b"))
    await says(stage, "b", Registered=("False", "Evicted"), ComponentsHealthy=("Unknown", "Evicted"))
    with pytest.raises(Terminal, match="is evicted and cannot join: let it in again first"):
        await worker.invite(stage.admin, stage.project, "b", 600)
    await evict(stage, "b", evicted=False)
    await says(stage, "b", Registered=("False", "WaitingForWorker"), ComponentsHealthy=("Unknown", "WaitingForWorker"))
    assert not set(await stage.warnings("b")) - {"Evicted"}
    api = await stage.credential(names.worker_account("b"), stage.home)
    after = await stage.admin.get(r.SECRETS, names.worker_account("b"), stage.home)
    assert after["data"]["token"] != before["data"]["token"]
    back = Worker(stage, "b", api)
    config = await back.config("red")
    assert config["spec"]["octet"] == 1
    await back.beat("2026-01-01T00:01:00Z", conditions=WELL)
    await stage.condition(r.CLUSTERS, "b", stage.home, "Ready", "True")
    await says(stage, "b", Registered=("True", "Fine"), ComponentsHealthy=("True", "Fine"))
    await back.publish("red", "key-b")

    async def is_known() -> bool:
        return bool((await views(stage, "a")).get(("a", "b"), {}).get("remoteGatewayConfig", {}).get("planes"))

    await stage.until(is_known)
    with pytest.raises((Forbidden, Unauthorized)):
        await workers["b"].api.list(r.WORKERSLICEGATEWAYS, stage.namespace_of("b"))


async def test_a_cluster_that_is_taken_out_is_forgotten_before_its_worker_has_cleaned_up(stage: Stage) -> None:
    workers = await running(stage, "a", "b", "c")
    await held(workers, "c")
    await stage.make_slice("red", "a", "b")
    await stage.until(lambda: no_view_of(stage, "c", "a", "b"), seconds=3)
    left = await stage.admin.get(r.WORKERSLICECONFIGS, "red-c", stage.namespace_of("c"))
    assert objects.is_deleting(left)
    await stage.gone(r.SECRETS, "red-a-c", stage.namespace_of("a"))
    await stage.gone(r.SECRETS, "red-c-a", stage.namespace_of("c"))
