"""Workers that are played do for the hub what real ones do: slices come up with them, and go without a trace."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kubeslice.kube import objects
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.stage.understudy import SERVICE, Understudy
from tests.hub.stage import Stage

CLUSTERS = ("a", "b", "c")


@asynccontextmanager
async def playing(stage: Stage) -> AsyncIterator[dict[str, Understudy]]:
    for cluster in CLUSTERS:
        wanted = {"metadata": {"name": cluster, "namespace": stage.home}, "spec": {}}
        await stage.admin.apply(r.CLUSTERS, wanted, manager="user")
    players = {
        cluster: Understudy(
            await stage.credential(names.worker_account(cluster), stage.home), Member(stage.project, cluster), number
        )
        for number, cluster in enumerate(CLUSTERS, start=1)
    }
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(player.run()) for player in players.values()]
        yield players
        for task in tasks:
            task.cancel()


async def test_a_slice_comes_up_serves_and_goes(stage: Stage) -> None:
    await stage.make_project()
    async with playing(stage) as players:
        for cluster in CLUSTERS:
            await stage.condition(r.CLUSTERS, cluster, stage.home, "Ready", "True")
        await stage.make_slice("s", *CLUSTERS)
        ready = await stage.condition(r.SLICECONFIGS, "s", stage.home, "Ready", "True", "12 of 12 tunnels up")
        assert objects.status(ready)["tunnels"] == "12/12"
        await players["a"].export("s")
        imported = names.worker_service_import(SERVICE, "s", "s", "b")
        await stage.condition(r.WORKERSERVICEIMPORTS, imported, stage.namespace_of("b"), "Ready", "True", "1 pod")
        await stage.make_slice("s", "a", "b")
        await stage.gone(r.WORKERSLICECONFIGS, names.worker_slice_config("s", "c"), stage.namespace_of("c"))
        await players["a"].withdraw("s")
        await stage.admin.delete(r.SLICECONFIGS, "s", stage.home)
        await stage.gone(r.SLICECONFIGS, "s", stage.home)
        for resource in (r.WORKERSLICECONFIGS, r.WORKERSLICEGATEWAYS, r.WORKERSERVICEIMPORTS):
            left = [obj for cluster in CLUSTERS for obj in await _listed(stage, resource, cluster)]
            assert left == []


async def test_a_worker_hears_of_another_when_the_key_of_their_tunnel_is_there(stage: Stage) -> None:
    await stage.make_project()
    async with playing(stage):
        for cluster in CLUSTERS:
            await stage.condition(r.CLUSTERS, cluster, stage.home, "Ready", "True")
        # What somebody else put there the hub does not overwrite: it comes back until there is room for the key.
        taken, home = names.slice_gateway("s", "a", "b"), stage.namespace_of("a")
        await stage.admin.create(r.SECRETS, {"metadata": {"name": taken, "namespace": home}, "type": "Opaque"})
        await stage.make_slice("s", *CLUSTERS)
        others = [("a", "c"), ("c", "a"), ("b", "c"), ("c", "b")]
        for local, remote in others:
            view = names.slice_gateway("s", local, remote)
            await stage.condition(r.WORKERSLICEGATEWAYS, view, stage.namespace_of(local), "Ready", "True")
        views = [name for cluster in CLUSTERS for name in await _listed(stage, r.WORKERSLICEGATEWAYS, cluster)]
        assert sorted(views) == sorted(names.slice_gateway("s", *ends) for ends in others)
        await stage.admin.delete(r.SECRETS, taken, home)
        await stage.condition(r.SLICECONFIGS, "s", stage.home, "Ready", "True", "12 of 12 tunnels up")


async def _listed(stage: Stage, resource: r.Resource, cluster: str) -> list[str]:
    return [objects.name(obj) for obj in (await stage.admin.list(resource, stage.namespace_of(cluster))).items]
