"""`kubeslice uninstall`: the workers and the hub off their clusters again, in an order that leaves nothing behind."""

from typing import Annotated

import typer

from kubeslice.cli.target import (
    Context,
    Kubeconfig,
    WorkerContext,
    WorkerKubeconfig,
    fail,
    run_with_api,
    target,
    worker_target,
)
from kubeslice.kube.api import Api

app = typer.Typer(help="Take the workers and the hub off their clusters.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def worker(
    cluster: Annotated[str, typer.Argument(help="Name of the cluster.")],
    project: Annotated[str, typer.Option("-p", "--project", help="Project that the cluster is in.")],
    worker_kubeconfig: WorkerKubeconfig = None,
    worker_context: WorkerContext = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Remove KubeSlice from a cluster that is in no slice any more, with its CRDs, and deregister it on the hub.

    A cluster that works for several projects leaves this one only.
    """
    from kubeslice.install import worker as installation

    hub = target(kubeconfig, context)
    there = worker_target(hub, kubeconfig, worker_kubeconfig, worker_context)
    slices = run_with_api(kubeconfig, context, lambda api: installation.slices_of(api, project, cluster))
    if slices:
        fail(f"{cluster} is in {', '.join(slices)}: take it out of spec.clusters there first, or delete the slices")

    typer.echo(f"removing {cluster} from {there}, deregistering it on {hub}")

    async def uninstall(api: Api) -> bool:
        """Leave it to the worker when it works for other projects too; return whether that is so."""
        is_further = await installation.is_further(api, project)
        if not is_further:
            await installation.uninstall(api, project, cluster)
        return is_further

    is_further = run_with_api(worker_kubeconfig or kubeconfig, worker_context, uninstall)
    run_with_api(kubeconfig, context, lambda api: installation.deregister(api, project, cluster, by_worker=is_further))
    what = f"nothing of project {project}" if is_further else "nothing of KubeSlice"
    typer.echo(f"cluster {cluster} has {what} any more, and the hub does not know it")


@app.command()
def hub(kubeconfig: Kubeconfig = None, context: Context = None) -> None:
    """Remove the hub and its CRDs from its cluster, when no project is left."""
    from kubeslice.install import hub as installation

    projects = run_with_api(kubeconfig, context, installation.projects)
    if projects:
        fail(
            f"there are projects: {', '.join(projects)}; delete them first with "
            "kubectl -n kubeslice-controller delete project NAME"
        )
    run_with_api(kubeconfig, context, installation.uninstall)
    typer.echo("the hub is gone")
