"""`certificates`: the keys and certificates of a slice's gateways."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from kubeslice.cli import views
from kubeslice.cli.finding import Project, find_one
from kubeslice.cli.output import Output, console, print_list
from kubeslice.cli.target import Context, Kubeconfig, run_with_api
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import NotFound
from kubeslice.model import names, resources
from kubeslice.model.resources import Resource

if TYPE_CHECKING:
    from kubeslice.cli.credentials import Row

app = typer.Typer(help="Look at the keys of a slice's gateways.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Keep `list` a command of its own, though it is the only one."""


@app.command("list")
def list_certificates(
    slice_name: Annotated[str, typer.Argument(metavar="SLICE", help="Name of the slice.")],
    project: Project = None,
    output: Output = "table",
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """List the key of each gateway of a slice: subject, plane, serial or fingerprint, validity, next rotation.

    With OpenVPN a key is shown by the serial number of its certificate, with WireGuard by its fingerprint.
    """
    from kubeslice.cli import credentials

    found = run_with_api(kubeconfig, context, lambda api: _rows(api, slice_name, project))
    if output != "table":
        print_list([row.wire() for row in found], output)
        return
    if not found:
        console().print(f"no gateway of slice {slice_name} has reported a key yet")
        return
    console().print(views.drawn(credentials.HEADINGS, [row.cells() for row in found]))


async def _rows(api: Api, name: str, project: str | None) -> "list[Row]":
    from kubeslice.cli import credentials

    config = await find_one(api, views.SLICES, name, project)
    home, clusters = objects.namespace(config), objects.spec(config).get("clusters") or []
    rotation = await _found(api, resources.VPNKEYROTATIONS, name, home)
    # One by one: who may look at a project may not list everything on the hub.
    places = [
        (names.worker_slice_config(name, cluster), names.cluster_namespace(names.project_of(home), cluster))
        for cluster in clusters
    ]
    members = [await _found(api, resources.WORKERSLICECONFIGS, *place) for place in places]
    return credentials.rows(config, rotation, [obj for obj in members if obj], datetime.now(UTC))


async def _found(api: Api, resource: Resource, name: str, namespace: str) -> Object | None:
    try:
        return await api.get(resource, name, namespace)
    except NotFound:
        return None
