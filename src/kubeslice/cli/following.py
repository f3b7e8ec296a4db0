"""`kubeslice slice status`: a slice cluster by cluster, once or for as long as somebody watches."""

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table

from kubeslice.cli import views
from kubeslice.cli.description import MEMBER_HEADINGS, member_row
from kubeslice.cli.finding import listed
from kubeslice.cli.target import fail
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import Gone
from kubeslice.model import names
from kubeslice.model.resources import SLICECONFIGS


async def follow_slice(api: Api, name: str, project: str | None, console: Console, *, watch: bool) -> bool:
    """Print a slice's state, again on each change when `watch`; return whether it was ready last."""
    namespace = names.project_namespace(project) if project else None
    found, version = await _find(api, name, namespace)
    if not watch:
        console.print(render(found))
        return objects.is_true(found, "Ready")
    with Live(render(found), console=console, refresh_per_second=10) as live:
        while True:
            try:
                async for event in api.watch(
                    SLICECONFIGS, objects.namespace(found), fields=f"metadata.name={name}", since=version
                ):
                    version = event.object["metadata"]["resourceVersion"]
                    if event.type == "DELETED":
                        live.update(f"slice {name} is gone")
                        return False
                    if event.type != "BOOKMARK":
                        found = event.object
                        live.update(render(found), refresh=True)
            except Gone:
                found, version = await _find(api, name, namespace)


def render(obj: Object) -> RenderableType:
    """Return the slice's line and the table of its clusters."""
    word, message = views.state(obj)
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for heading in MEMBER_HEADINGS:
        drawn.add_column(heading, overflow="fold")
    for member in objects.status(obj).get("members") or []:
        drawn.add_row(*member_row(member))
    tunnels = objects.status(obj).get("tunnels") or "-"
    return Group(f"slice {objects.name(obj)}: {word}  tunnels {tunnels}  {message}", drawn)


async def _find(api: Api, name: str, namespace: str | None) -> tuple[Object, str]:
    listing = await listed(api, SLICECONFIGS, namespace, fields=f"metadata.name={name}")
    if not listing.items:
        fail(f"no slice {name!r}: `kubeslice slice get` lists them")
    if len(listing.items) > 1:
        projects = ", ".join(names.project_of(objects.namespace(item)) for item in listing.items)
        fail(f"several projects have a slice {name!r} ({projects}): choose one with --project")
    return listing.items[0], listing.resource_version
