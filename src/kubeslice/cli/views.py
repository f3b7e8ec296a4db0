"""What a row of each table says. Pure: objects in, cells out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model import names, resources
from kubeslice.model.conditions import DEGRADED
from kubeslice.model.resources import Resource

if TYPE_CHECKING:
    from rich.table import Table

Row = Callable[[Object], Sequence[str]]


@dataclass(frozen=True)
class View:
    """How one kind is listed."""

    title: str
    resource: Resource
    headings: tuple[str, ...]
    row: Row
    hint: str

    def namespace(self, project: str) -> str:
        """Return the namespace in which objects of a project are."""
        return names.HUB_NAMESPACE if self.resource is resources.PROJECTS else names.project_namespace(project)


def state(obj: Object) -> tuple[str, str]:
    """Return the Ready condition as a word with its reason, and its sentence."""
    ready = objects.condition(obj, "Ready")
    if objects.is_deleting(obj):
        return "[yellow]Deleting[/]", (ready or {}).get("message", "")
    if ready is None:
        return "[yellow]Unknown[/]", "nothing has reported yet: is the hub running?"
    message, degraded = str(ready.get("message", "")), objects.condition(obj, DEGRADED) or {}
    if ready.get("status") == "True" and degraded.get("status") == "True":
        return "[yellow]Degraded[/]", f"{message}; {degraded.get('message', '')}"
    if ready.get("status") == "True":
        return "[green]Ready[/]", message
    return f"[red]{ready.get('reason') or 'NotReady'}[/]", message


def age(obj: Object, now: datetime | None = None) -> str:
    """Return how old an object is: 5s, 12m, 3h, 9d."""
    return since(obj["metadata"].get("creationTimestamp"), now)


def since(time: object, now: datetime | None = None) -> str:
    """Return how long ago a Kubernetes time was, in the same form; ? when it is none."""
    try:
        passed = (now or datetime.now(UTC)) - datetime.fromisoformat(str(time))
    except (ValueError, TypeError):  # what is no time, and a time without a zone
        return "?"
    seconds = passed.total_seconds()
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"


def table(view: View, found: Sequence[Object]) -> "Table":
    """Return the table of these objects."""
    return drawn(view.headings, [view.row(obj) for obj in found])


def drawn(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> "Table":
    """Return a table in the form that all of them have."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        made.add_column(heading, overflow="fold", no_wrap=heading != "MESSAGE")
    for row in rows:
        made.add_row(*row)
    return made


def _project(obj: Object) -> Sequence[str]:
    word, message = state(obj)
    return objects.name(obj), names.project_namespace(objects.name(obj)), word, age(obj), message


def _cluster(obj: Object) -> Sequence[str]:
    word, message = state(obj)
    status = objects.status(obj)
    addresses = ",".join(status.get("nodeIPs") or []) or "-"
    registration = str(status.get("registrationStatus") or "Pending")
    return _home(obj), objects.name(obj), registration, addresses, word, age(obj), message


def _slice(obj: Object) -> Sequence[str]:
    word, message = state(obj)
    spec, status = objects.spec(obj), objects.status(obj)
    members = ",".join(spec.get("clusters") or []) or "-"
    subnet = str(spec.get("sliceSubnet") or "-")
    return _home(obj), objects.name(obj), members, subnet, str(status.get("tunnels") or "-"), word, age(obj), message


def _home(obj: Object) -> str:
    return names.project_of(objects.namespace(obj))


PROJECTS = View(
    "Projects",
    resources.PROJECTS,
    ("NAME", "NAMESPACE", "STATE", "AGE", "MESSAGE"),
    _project,
    f"apply a Project in the namespace {names.HUB_NAMESPACE}",
)
CLUSTERS = View(
    "Clusters",
    resources.CLUSTERS,
    ("PROJECT", "NAME", "REGISTRATION", "NODES", "STATE", "AGE", "MESSAGE"),
    _cluster,
    "join one with `kubeslice install worker`",
)
SLICES = View(
    "Slices",
    resources.SLICECONFIGS,
    ("PROJECT", "NAME", "CLUSTERS", "SUBNET", "TUNNELS", "STATE", "AGE", "MESSAGE"),
    _slice,
    "apply a SliceConfig in the project's namespace",
)
