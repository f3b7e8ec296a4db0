"""`kubeslice install`: the hub onto one cluster, workers onto others, from the same manifests as everywhere."""

from typing import Annotated
from urllib.parse import urlsplit

import typer

from kubeslice import __version__
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
from kubeslice.kube.lease import HUB_DURATION, SHORTEST
from kubeslice.model.names import IMAGE_REPOSITORY

app = typer.Typer(help="Put the hub and the workers onto clusters.", no_args_is_help=True, rich_markup_mode=None)

DEFAULT_IMAGE = f"{IMAGE_REPOSITORY}:{__version__}"
ImageName = Annotated[str, typer.Option("--image", help="Image of all components.")]


def checked_endpoint(endpoint: str) -> str:
    """Return the hub's endpoint; ends the program when it is none, for the hub would not start with it."""
    parts = urlsplit(endpoint)
    if parts.scheme != "https" or not parts.hostname:
        fail(f"endpoint {endpoint} is no URL of an API server: write https://HOST:PORT, as the workers reach it")
    return endpoint


@app.command()
def hub(
    endpoint: Annotated[str, typer.Option(help="URL at which the workers reach this cluster's API server.")],
    image: ImageName = DEFAULT_IMAGE,
    replicas: Annotated[int, typer.Option(min=1, help="How many hubs: one leads, the others stand by.")] = 2,
    lease_seconds: Annotated[
        float, typer.Option(min=SHORTEST, help="After how many seconds another hub leads when the leader was killed.")
    ] = HUB_DURATION,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Install the hub on the cluster that the kubeconfig names."""
    from kubeslice.install import hub as installation
    from kubeslice.manifests import HubValues, Image

    values = HubValues(checked_endpoint(endpoint), Image(image), replicas=replicas, lease_seconds=lease_seconds)
    run_with_api(kubeconfig, context, lambda api: installation.install(api, values))
    typer.echo("the hub runs; next: kubeslice install project NAME")


@app.command()
def project(
    name: Annotated[str, typer.Argument(help="Name of the tenant, at most 30 characters.")],
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Create a project on the hub."""
    from kubeslice.install.hub import create_project

    run_with_api(kubeconfig, context, lambda api: create_project(api, name))
    typer.echo(
        f"project {name} is ready; next: kubeslice install worker CLUSTER --project {name} --worker-context CONTEXT"
    )


@app.command()
def worker(
    cluster: Annotated[str, typer.Argument(help="Name of the cluster, at most 20 characters.")],
    project: Annotated[str, typer.Option("-p", "--project", help="Project that the cluster joins.")],
    worker_kubeconfig: WorkerKubeconfig = None,
    worker_context: WorkerContext = None,
    image: ImageName = DEFAULT_IMAGE,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Register a cluster on the hub (--kubeconfig, --context) and install the worker on it (--worker-…).

    Says where it does both before it begins.
    """
    from kubeslice.cli.finding import require_project
    from kubeslice.install import worker as installation
    from kubeslice.manifests import HubCredentials, Image

    hub = target(kubeconfig, context)
    there = worker_target(hub, kubeconfig, worker_kubeconfig, worker_context)
    typer.echo(f"installing {cluster} on {there}, registering it on {hub}")

    async def register(api: Api) -> HubCredentials | None:
        await require_project(api, project)
        return await installation.register(api, project, cluster)

    credentials = run_with_api(kubeconfig, context, register)

    async def install(api: Api) -> None:
        await installation.install(api, project, cluster, credentials, Image(image))

    run_with_api(worker_kubeconfig or kubeconfig, worker_context, install)
    run_with_api(kubeconfig, context, lambda api: installation.registered(api, project, cluster))
    typer.echo(f"cluster {cluster} is registered; next: apply a SliceConfig in kubeslice-{project}")
