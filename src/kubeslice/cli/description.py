"""Everything about one object on one page: its state, its conditions, its parts, its events."""

import json
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kubeslice.cli.finding import find
from kubeslice.cli.views import View, since
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.model.resources import EVENTS


async def describe_all(api: Api, view: View, name: str, project: str | None) -> RenderableType:
    """Return the page of each object with this name (projects may use the same names)."""
    pages = []
    for obj in await find(api, view, name, project):
        selector = f"involvedObject.name={name},involvedObject.kind={view.resource.kind}"
        events = await api.list(EVENTS, objects.namespace(obj), fields=selector)
        pages.append(page(view, obj, events.items))
    return Group(*pages)


def page(view: View, obj: Object, events: Sequence[Object]) -> RenderableType:
    """Return one object's page."""
    facts = Table(box=None, pad_edge=False, show_header=False)
    for heading, cell in zip(view.headings, view.row(obj), strict=True):
        facts.add_row(f"{heading.capitalize()}:", cell)
    parts: list[RenderableType] = [facts, *_spec(obj), *_members(obj), *_relays(obj)]
    parts += [*_conditions(obj), *_events(events), Text()]
    return Group(*parts)


def _spec(obj: Object) -> list[RenderableType]:
    rows = [(key, value if isinstance(value, str) else json.dumps(value)) for key, value in objects.spec(obj).items()]
    return _section("Spec", ("FIELD", "VALUE"), rows)


def _members(obj: Object) -> list[RenderableType]:
    members = objects.status(obj).get("members") or []
    return _section("Clusters", MEMBER_HEADINGS, [member_row(member) for member in members])


def _relays(obj: Object) -> list[RenderableType]:
    relays = (objects.status(obj).get("topology") or {}).get("relays") or []
    rows = [(" and ".join(entry["clusters"]), entry.get("via") or "[red]nobody[/]") for entry in relays]
    return _section("Relays", ("CLUSTERS", "THROUGH"), rows)


MEMBER_HEADINGS = ("CLUSTER", "SUBNET", "TUNNELS", "PODS", "STATE", "MESSAGE")


def member_row(member: Object) -> tuple[str, ...]:
    """Return the cells of one cluster of a slice."""
    word = "[green]Ready[/]" if member.get("ready") else "[red]NotReady[/]"
    tunnels = f"{member.get('tunnelsUp') or 0}/{member.get('tunnels') or 0}"
    subnet, pods = str(member.get("clusterSubnet") or "-"), str(member.get("appPods") or 0)
    return str(member["cluster"]), subnet, tunnels, pods, word, str(member.get("message") or "")


def _conditions(obj: Object) -> list[RenderableType]:
    rows = [
        (
            entry["type"],
            entry["status"],
            since(entry.get("lastTransitionTime")),
            entry.get("reason", ""),
            entry.get("message", ""),
        )
        for entry in objects.conditions(obj)
    ]
    return _section("Conditions", ("TYPE", "STATUS", "SINCE", "REASON", "MESSAGE"), rows)


def _events(events: Sequence[Object]) -> list[RenderableType]:
    ordered = sorted(events, key=lambda event: str(event.get("lastTimestamp") or ""))
    rows = [
        (since(event.get("lastTimestamp")), event.get("type", ""), event.get("reason", ""), event.get("message", ""))
        for event in ordered
    ]
    return _section("Events", ("AGE", "TYPE", "REASON", "MESSAGE"), rows)


def _section(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[RenderableType]:
    if not rows:
        return []
    drawn = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for heading in headings:
        drawn.add_column(heading, overflow="fold")
    for row in rows:
        drawn.add_row(*row)
    return [Text(), drawn]
