"""`project`, `cluster` and `slice`: what there is, in tables that name the state and the reason."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from kubeslice.cli import views
from kubeslice.cli.target import Context, Kubeconfig, fail, run_with_api
from kubeslice.cli.views import View
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Listing, Object
from kubeslice.kube.errors import Forbidden, NotFound
from kubeslice.model import names
from kubeslice.model.resources import CLUSTERS, PROJECTS, Resource

if TYPE_CHECKING:
    from rich.console import Console

# Wider than any sentence.
WIDTH_OF_PIPES = 4000

Name = Annotated[str, typer.Argument(help="Name of the object.")]
OptionalName = Annotated[str | None, typer.Argument(help="Name of one object; all when left out.")]
Project = Annotated[str | None, typer.Option("-p", "--project", help="Only this project.")]
Output = Annotated[str, typer.Option("-o", "--output", help="table, json or yaml.")]


def _group(view: View) -> typer.Typer:
    group = typer.Typer(help=f"Look at {view.title.lower()}.", no_args_is_help=True, rich_markup_mode=None)

    def get(
        name: OptionalName = None,
        project: Project = None,
        output: Output = "table",
        kubeconfig: Kubeconfig = None,
        context: Context = None,
    ) -> None:
        found = run_with_api(kubeconfig, context, lambda api: find(api, view, name, project))
        _print(view, found, output)

    def describe(name: Name, project: Project = None, kubeconfig: Kubeconfig = None, context: Context = None) -> None:
        from kubeslice.cli.description import describe_all

        described = run_with_api(kubeconfig, context, lambda api: describe_all(api, view, name, project, find))
        console().print(described)

    group.command("get", help=f"List {view.title.lower()}, or one of them.")(get)
    group.command("describe", help=f"Show everything about one of the {view.title.lower()}, with events.")(describe)
    return group


projects = _group(views.PROJECTS)
clusters = _group(views.CLUSTERS)
slices = _group(views.SLICES)


@clusters.command("evict")
def evict_cluster(
    name: Name,
    project: Project = None,
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Let the cluster in again, with a new credential.")] = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Shut a cluster out of every slice and of the hub at once, whether it cooperates or not."""
    from kubeslice.cli.eviction import evict

    async def work(api: Api) -> str:
        return await evict(api, await find_one(api, views.CLUSTERS, name, project), undo=undo)

    typer.echo(run_with_api(kubeconfig, context, work))


@clusters.command("forget")
def forget_cluster(
    name: Name,
    project: Project = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Even though its worker is heard of.")] = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Take a cluster that is gone for good off the hub, without waiting for its worker."""
    from kubeslice.cli.eviction import forget, is_heard

    async def work(api: Api) -> str:
        cluster = await find_one(api, views.CLUSTERS, name, project)
        if is_heard(cluster) and not force:
            fail(f"the worker of {name} is heard of: delete Cluster {name} and it cleans up, or forget it with --force")
        return await forget(api, cluster)

    typer.echo(run_with_api(kubeconfig, context, work))


@clusters.command("join-token")
def join_token(
    name: Annotated[str, typer.Argument(help="Name of the cluster, at most 20 characters; it may be new.")],
    project: Annotated[str | None, typer.Option("-p", "--project", help="Project that the cluster joins.")] = None,
    ttl: Annotated[str, typer.Option(help="How long it is good, from 10m to 24h.")] = "30m",
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Print a short-lived token with which a cluster joins by `kubeslice worker join`; registers it when it is new."""
    from kubeslice.cli.joining import invite
    from kubeslice.plan.joining import encode
    from kubeslice.plan.moments import stamp

    token = run_with_api(kubeconfig, context, lambda api: invite(api, name, project, ttl))
    typer.echo(encode(token))
    typer.echo(f"good until {stamp(token.ends)}; on the cluster that joins: kubeslice worker join TOKEN", err=True)


@clusters.command("revoke")
def revoke_cluster(name: Name, project: Project = None, kubeconfig: Kubeconfig = None, context: Context = None) -> None:
    """Make every credential that a cluster's worker was ever given worthless at once; its slices go on."""
    from datetime import UTC, datetime

    from kubeslice.cli.joining import revoke

    async def work(api: Api) -> str:
        return await revoke(api, await find_one(api, views.CLUSTERS, name, project), datetime.now(UTC))

    typer.echo(run_with_api(kubeconfig, context, work))


@slices.command("status")
def slice_status(
    name: Name,
    project: Project = None,
    output: Output = "table",
    *,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Follow until interrupted.")] = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Show a slice cluster by cluster; exits 1 when it is not ready (without --watch)."""
    from kubeslice.cli.following import follow_slice

    if output != "table":
        if watch:
            fail("--watch shows a table only: leave --output out")
        found = run_with_api(kubeconfig, context, lambda api: find_one(api, views.SLICES, name, project))
        print_list([found], output)
        raise typer.Exit(0 if objects.is_true(found, "Ready") else 1)
    is_ready = run_with_api(kubeconfig, context, lambda api: follow_slice(api, name, project, console(), watch=watch))
    if not is_ready and not watch:
        raise typer.Exit(1)


@slices.command("delete")
def delete_slice(
    name: Name,
    project: Project = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Take the namespaces out of a slice, delete it, and wait until every cluster has let go of it."""
    from kubeslice.install.slices import delete

    async def work(api: Api) -> str:
        home = objects.namespace(await find_one(api, views.SLICES, name, project))
        if name == names.default_slice(names.project_of(home)):
            fail(f"{name} is the default slice: set spec.defaultSliceCreation of its Project to false, and it goes")
        await delete(api, name, home)
        return f"slice {name} is gone from every cluster"

    typer.echo(run_with_api(kubeconfig, context, work))


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
        fail(f"there is no project {project!r}: `kubeslice project get` lists them")
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


def _print(view: View, found: list[Object], output: str) -> None:
    if output != "table":
        print_list(found, output)
        return
    console().print(views.table(view, found) if found else f"no {view.title.lower()} yet: {view.hint}")


def print_list(found: list[Object], output: str) -> None:
    """Print objects as JSON or YAML, for programs."""
    if output == "json":
        import json

        typer.echo(json.dumps({"apiVersion": "v1", "kind": "List", "items": found}, indent=2))
    elif output == "yaml":
        import yaml

        typer.echo(yaml.safe_dump_all(found, sort_keys=False), nl=False)
    else:
        fail(f"--output {output!r} is not known: use table, json or yaml")


def console() -> "Console":
    """Return where tables are printed."""
    from rich.console import Console

    # Whatever reads a pipe wants one line for each object.
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH_OF_PIPES)
