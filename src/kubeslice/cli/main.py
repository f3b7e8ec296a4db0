"""The tree of commands. What a command does is in the module that its name points to."""

from typing import Annotated

import typer

from kubeslice import __version__
from kubeslice.cli import auth, bench, certificates, install, lab, planning, policies, resources, uninstall, worker

VALUES = (
    "Of the hub: endpoint (required), image, replicas, credential-seconds, lease-seconds. Of a worker: cluster, "
    "project (both required), image, privileged-gateways (false where the kernel has WireGuard and no slice uses "
    "OpenVPN), and together hub-endpoint, hub-ca-file, hub-token-file."
)

app = typer.Typer(
    name="kubeslice",
    help=(
        "A flat, encrypted overlay network for each application, across Kubernetes clusters.\n\n"
        "New here? `kubeslice demo` shows it working on this machine in a minute; `kubeslice lab up` gives you "
        "clusters to try it on."
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(lab.app, name="lab")
app.add_typer(bench.app, name="bench")
app.add_typer(install.app, name="install")
app.add_typer(worker.app, name="worker")
app.add_typer(uninstall.app, name="uninstall")
app.add_typer(resources.projects, name="project")
app.add_typer(resources.clusters, name="cluster")
app.add_typer(resources.slices, name="slice")
app.add_typer(certificates.app, name="certificates")
app.add_typer(auth.app, name="auth")
app.add_typer(policies.app, name="policies")

app.command()(planning.plan)
app.command()(planning.apply)


@app.command()
def demo(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the lab running at the end, to explore it.")] = False,
    workers: Annotated[int, typer.Option(min=3, max=20, help="How many worker clusters to bring up.")] = 3,
) -> None:
    """Bring up clusters, connect applications across them, prove each claim, clean up."""
    from kubeslice.demo.main import run

    raise typer.Exit(run(keep=keep, workers=workers))


@app.command()
def manifests(
    part: Annotated[str, typer.Argument(help="hub or worker.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help=f"A value; repeat for more. {VALUES}", metavar="NAME=VALUE")
    ] = None,
) -> None:
    """Print the manifests of the hub or of a worker as YAML, for GitOps or `kubectl apply --server-side -f -`."""
    from kubeslice.cli.rendering import manifests_yaml

    typer.echo(manifests_yaml(part, settings or []), nl=False)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"kubeslice {__version__}")
