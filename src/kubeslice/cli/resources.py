"""`project`, `cluster` and `slice`: what there is, in tables that name the state and the reason."""

from typing import Annotated

import typer

from kubeslice.cli import views
from kubeslice.cli.finding import Project, find, find_one
from kubeslice.cli.output import Output, console, print_list
from kubeslice.cli.target import Context, Kubeconfig, fail, run_with_api
from kubeslice.cli.views import View
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.model import names

Name = Annotated[str, typer.Argument(help="Name of the object.")]
OptionalName = Annotated[str | None, typer.Argument(help="Name of one object; all when left out.")]


def _group(view: View, purpose: str) -> typer.Typer:
    group = typer.Typer(help=purpose, no_args_is_help=True, rich_markup_mode=None)

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

        described = run_with_api(kubeconfig, context, lambda api: describe_all(api, view, name, project))
        console().print(described)

    group.command("get", help=f"List {view.title.lower()}, or one of them.")(get)
    group.command("describe", help=f"Show everything about one of the {view.title.lower()}, with events.")(describe)
    return group


projects = _group(views.PROJECTS, "Look at projects.")
clusters = _group(views.CLUSTERS, "Look at clusters, let them join, shut them out.")
slices = _group(views.SLICES, "Look at slices, delete them.")


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
    from kubeslice.plan.moments import stamp
    from kubeslice.plan.tenants.joining import encode

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


def _print(view: View, found: list[Object], output: str) -> None:
    if output != "table":
        print_list(found, output)
        return
    console().print(views.table(view, found) if found else f"no {view.title.lower()} yet: {view.hint}")
