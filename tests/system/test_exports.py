"""The life of an export, seen from every end: the object, the hub, the other clusters, the resolver."""

from kubeslice.kube import objects
from kubeslice.model import names
from kubeslice.model.resources import SERVICEEXPORTCONFIGS, SERVICEEXPORTS, SERVICEIMPORTS, WORKERSERVICEIMPORTS
from kubeslice.stage import slices
from kubeslice.stage.application import Place
from tests.system.world import World, eventually


async def test_a_deleted_export_takes_its_name_along(world: World) -> None:
    red = world.red
    clients = [await world.place(red, cluster) for cluster in red.clusters]
    export = await world.api(red.server).get(SERVICEEXPORTS, "web", red.namespace)
    assert objects.status(export)["exportStatus"] == "READY"
    assert objects.is_true(export, "Ready")
    assert all([await status_of(client, red.host) == "NOERROR" for client in clients])
    assert await records(world) != []
    async with world.converging("export deleted and made again"):
        deleted = await world.kubectl(red.server, "-n", red.namespace, "delete", "serviceexport", "web")
        assert deleted.status == 0, deleted.stderr
        for client in clients:
            await eventually(lambda at=client: _has_no_name(at, red.host), "NXDOMAIN")  # type: ignore[misc]
        await eventually(lambda: _no_records(world), "an end of every object of the export")
        await slices.export(world.stage, red)


async def status_of(client: Place, name: str) -> str:
    """Return what DNS says about a name: NOERROR, NXDOMAIN …"""
    answer = (await client.run("kdig", name)).stdout.decode()
    return answer.partition("status: ")[2].partition(";")[0]


async def records(world: World) -> list[str]:
    """Return every object, anywhere, that stands for red's export."""
    namespace = world.red.namespace
    found = [obj for kind in (SERVICEEXPORTCONFIGS, WORKERSERVICEIMPORTS) for obj in (await world.hub.list(kind)).items]
    left = [objects.name(obj) for obj in found if f"web-{namespace}-" in objects.name(obj)]
    for cluster in world.red.clusters:
        imports = await world.api(cluster).list(SERVICEIMPORTS, namespace)
        left += [f"{cluster}/{objects.name(obj)}" for obj in imports.items]
    return left


async def _has_no_name(client: Place, name: str) -> bool:
    return await status_of(client, name) == "NXDOMAIN"


async def _no_records(world: World) -> bool:
    return await records(world) == []


async def test_an_export_of_nothing_is_pending_and_says_so(world: World) -> None:
    red = world.red
    nothing = {
        "metadata": {"name": "nothing", "namespace": red.namespace},
        "spec": {
            "slice": red.slice_name,
            "selector": {"matchLabels": {"app": "nothing"}},
            "ports": [{"containerPort": 80}],
        },
    }
    api = world.api(red.server)
    await api.create(SERVICEEXPORTS, nothing)

    async def is_pending() -> bool:
        found = await api.get(SERVICEEXPORTS, "nothing", red.namespace)
        ready = objects.condition(found, "Ready")
        return objects.status(found).get("exportStatus") == "PENDING" and ready is not None and bool(ready["message"])

    await eventually(is_pending, "PENDING with a sentence")
    await api.delete(SERVICEEXPORTS, "nothing", red.namespace)
    assert names.ZONE in red.host
