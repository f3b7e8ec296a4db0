"""Finding what a command is about on the hub; who is refused or finds nothing is told what to ask for instead."""

from typing import Annotated

import typer

from kubeslice.cli.target import fail
from kubeslice.cli.views import View
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Listing, Object
from kubeslice.kube.errors import Forbidden, NotFound
from kubeslice.model import names
from kubeslice.model.resources import CLUSTERS, PROJECTS, Resource

Project = Annotated[str | None, typer.Option("-p", "--project", help="Only this project.")]


async def listed(api: Api, resource: Resource, namespace: str | None = None, fields: str = "") -> Listing:
    """List objects of one namespace, or all; who may not look at all is told how to ask for less."""
    try:
        return await api.list(resource, namespace, fields=fields)
    except Forbidden as refusal:
        fail(f"{refusal.message}{'' if namespace else ': name the project that you may look at with --project'}")


async def require_project(api: Api, project: str) -> None:
    """End the program with a clear line when there is no such project, as far as one may know."""
    try:
        await api.get(PROJECTS, project, names.HUB_NAMESPACE)
    except NotFound:
        fail(
            f"there is no project {project!r}: `kubeslice project get` lists all, `kubeslice install project` makes one"
        )
    except Forbidden:
        return  # people of a project may not look at projects


async def find(api: Api, view: View, name: str | None, project: str | None) -> list[Object]:
    """Return the objects of this name, or all; ends the program with a clear line when there is none of the name."""
    items = (await listed(api, view.resource, view.namespace(project) if project else None)).items
    found = [obj for obj in items if name in (None, obj["metadata"]["name"])]
    if project and not found:
        await require_project(api, project)
    if name and not found:
        where = f"project {project}" if project else "any project"
        known = ", ".join(sorted({obj["metadata"]["name"] for obj in items})) or "there are none"
        fail(f"no {view.resource.kind} {name!r} in {where}; known: {known}")
    return sorted(found, key=lambda obj: (obj["metadata"].get("namespace", ""), obj["metadata"]["name"]))


async def find_one(api: Api, view: View, name: str, project: str | None) -> Object:
    """Return the object of this name; ends the program with a clear line when there is none, or several."""
    found = await find(api, view, name, project)
    if len(found) > 1:
        homes = ", ".join(names.project_of(objects.namespace(obj)) for obj in found)
        fail(f"there is a {view.resource.kind} {name!r} in the projects {homes}: name one with --project")
    return found[0]


async def project_of(api: Api, cluster: str) -> str:
    """Return the only project with a cluster of this name; ends the program with a clear line otherwise."""
    homes = [objects.namespace(obj) for obj in (await listed(api, CLUSTERS)).items if objects.name(obj) == cluster]
    if len(homes) != 1:
        known = f"several projects have a cluster {cluster}" if homes else f"no project has a cluster {cluster} yet"
        fail(f"{known}: name the one it joins with --project")
    return names.project_of(homes[0])
