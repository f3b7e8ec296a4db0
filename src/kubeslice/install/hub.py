"""The hub: installing it, giving it projects."""

from kubeslice.install.applying import INSTALLER, apply_all, delete_all, workloads_ready
from kubeslice.kube import objects, waiting
from kubeslice.kube.api import Api, Object
from kubeslice.manifests import HubValues, Image, hub
from kubeslice.model import names
from kubeslice.model.resources import PROJECTS

PATIENCE = 60.0


async def install(api: Api, values: HubValues) -> None:
    """Install the hub on the cluster of `api` and wait until it runs."""
    manifests = hub(values)
    await apply_all(api, manifests)
    await workloads_ready(api, manifests, seconds=PATIENCE)


async def projects(api: Api) -> list[str]:
    """Return the projects of the hub."""
    return sorted(objects.name(obj) for obj in (await api.list(PROJECTS, names.HUB_NAMESPACE)).items)


async def uninstall(api: Api) -> None:
    """Remove the hub and its CRDs; projects have to be gone before, so that nothing is orphaned."""
    await delete_all(api, hub(HubValues("", Image(""))))


async def create_project(api: Api, name: str) -> None:
    """Create a project and wait until its users can work in it."""
    project: Object = {"metadata": {"name": name, "namespace": names.HUB_NAMESPACE}, "spec": {}}
    await api.apply(PROJECTS, project, manager=INSTALLER)
    await waiting.until(
        api,
        PROJECTS,
        name,
        names.HUB_NAMESPACE,
        lambda obj: obj is not None and objects.is_true(obj, "Ready"),
        timeout=PATIENCE,
        what="Ready",
    )
