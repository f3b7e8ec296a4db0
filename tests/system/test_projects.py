"""Two clusters of one project join another, which has a slice of the same name and addresses, and leave it again."""

import asyncio

from kubeslice.install import hub, worker
from kubeslice.install import slices as slice_installation
from kubeslice.kube import objects, waiting
from kubeslice.model import names
from kubeslice.model.resources import PROJECTS, SECRETS, SERVICEEXPORTS, SLICECONFIGS, SLICES
from kubeslice.stage import application, scenario
from kubeslice.stage.scenario import Tenant
from kubeslice.stage.stage import IMAGE
from tests.system.world import Object, World

PROJECT = "beta"
HOME = names.project_namespace(PROJECT)
DEPOT = Tenant("red", "depot", ("worker-1", "worker-2"), "worker-2")
OPENVPN = {"sliceGatewayProvider": {"sliceGatewayType": "OpenVPN", "sliceCaType": "Local"}}
LONG_ENOUGH = 600


async def test_a_second_project_has_a_slice_of_the_same_name(world: World) -> None:
    await hub.create_project(world.hub, PROJECT)
    try:
        await asyncio.gather(*(_join(world, cluster) for cluster in DEPOT.clusters))
        await world.hub.apply(SLICECONFIGS, scenario.slice_config(DEPOT, HOME, OPENVPN), manager="test")
        await application.deploy(world.stage.apis, DEPOT)
        export = scenario.service_export(DEPOT)
        await world.api(DEPOT.server).apply(SERVICEEXPORTS, export, manager="test")
        for cluster in DEPOT.clusters:
            await world.answers(DEPOT, cluster)
            found = (await world.api(cluster).list(SLICES, names.WORKER_NAMESPACE)).items
            mine = {objects.spec(obj)["sliceName"] for obj in found if _project(obj) == PROJECT}
            assert mine == {"red"}
        await world.settled()
    finally:
        await _leave(world)
    for cluster in DEPOT.clusters:
        found = (await world.api(cluster).list(SLICES, names.WORKER_NAMESPACE)).items
        assert {_project(obj) for obj in found} == {"demo"}
        assert not (await world.api(cluster).list(SECRETS, names.WORKER_NAMESPACE, labels=names.PROJECT_LABEL)).items
    await world.settled()


def _project(obj: Object) -> str:
    return objects.labels(obj)[names.PROJECT_LABEL]


async def _join(world: World, cluster: str) -> None:
    invitation = await worker.invite(world.hub, PROJECT, cluster, LONG_ENOUGH)
    await worker.join(world.api(cluster), invitation, IMAGE)


async def _leave(world: World) -> None:
    await slice_installation.delete(world.hub, DEPOT.slice_name, HOME)
    await asyncio.gather(*(worker.deregister(world.hub, PROJECT, each, by_worker=True) for each in DEPOT.clusters))
    await world.hub.delete(PROJECTS, PROJECT, names.HUB_NAMESPACE)
    await waiting.until(
        world.hub, PROJECTS, PROJECT, names.HUB_NAMESPACE, lambda obj: obj is None, timeout=20, what="gone"
    )
