"""`kubeslice worker`: what is done on a cluster that joins, by somebody who needs no access to the hub."""

from typing import Annotated

import typer

from kubeslice.cli.install import DEFAULT_IMAGE, ImageName
from kubeslice.cli.target import Context, Kubeconfig, fail, run_with_api, target
from kubeslice.kube.api import Api
from kubeslice.model.errors import Terminal

app = typer.Typer(help="Let a cluster join a hub.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Keep `join` a command of its own, though it is the only one."""


@app.command()
def join(
    given: Annotated[
        str, typer.Argument(metavar="TOKEN", help="What `kubeslice cluster join-token` printed, or - to read it.")
    ],
    image: ImageName = DEFAULT_IMAGE,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Install the worker on the cluster that the kubeconfig names, and wait until the hub has registered it."""
    from datetime import UTC, datetime

    from kubeslice.install import worker as installation
    from kubeslice.manifests import Image
    from kubeslice.plan.tenants import joining

    text = typer.get_text_stream("stdin").read() if given == "-" else given
    try:
        invitation = joining.decode(text, datetime.now(UTC))
    except Terminal as problem:
        fail(str(problem))

    there = target(kubeconfig, context)
    hub, cluster = invitation.endpoint, invitation.cluster
    typer.echo(f"installing {cluster} on {there}; it joins project {invitation.project} of the hub at {hub}")

    async def work(api: Api) -> str:
        await installation.join(api, invitation, Image(image), typer.echo)
        return f"next: name {invitation.cluster} in spec.clusters of a SliceConfig in kubeslice-{invitation.project}"

    typer.echo(run_with_api(kubeconfig, context, work))
