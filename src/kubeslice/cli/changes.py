"""What changes in the clusters of a project, and how that reads: the table that plan and apply share."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from kubeslice.cli import views, worlds
from kubeslice.kube import objects
from kubeslice.plan.changes import footprint, interruptions
from kubeslice.plan.changes.footprint import Difference
from kubeslice.plan.changes.preview import World, preview
from kubeslice.plan.hub import clusters
from kubeslice.plan.problems import listing
from kubeslice.plan.tenants.tenancy import Member

if TYPE_CHECKING:
    from rich.table import Table

SIGNS = {"create": "[green]+[/]", "change": "[yellow]~[/]", "remove": "[red]-[/]"}
HEADINGS = ("", "CLUSTER", "SLICE", "WHAT", "DETAIL", "INTERRUPTS")
SHOWN_SINGLY = 3


@dataclass(frozen=True)
class Change:
    """A difference in a cluster, and the running traffic that it interrupts."""

    difference: Difference
    interrupts: str

    def wire(self) -> dict[str, Any]:
        """Return the JSON form."""
        found = self.difference
        told = {"action": found.action, "before": found.before, "after": found.after, "interrupts": self.interrupts}
        return {**found.spot._asdict(), **{key: value for key, value in told.items() if value}}


@dataclass(frozen=True)
class Outcome:
    """What has come of changes: those that happened, those that are `missing`, and how what is `awaited` joins.

    `stuck` of the missing ones lead to clusters that have to join first, whoever waits; `silent` says which of the
    clusters that they lead to are not heard of. `is_late` ends the waiting.
    """

    done: Sequence[Change] = ()
    missing: Sequence[Change] = ()
    awaited: Sequence[str] = ()
    silent: Sequence[str] = ()
    stuck: int = 0
    is_late: bool = False

    @property
    def is_open(self) -> bool:
        """Tell whether waiting may still change something."""
        return len(self.missing) > self.stuck and not self.is_late


def planned(
    before: World, after: World, now: datetime, only: Collection[str] | None = None
) -> tuple[list[Change], list[str]]:
    """Return what will change from one world to the other, and the sentences with which the hub would refuse it.

    `only` are the slices that may differ. What the hub refuses already, and nobody changes, is not among the sentences.
    """
    old, new = preview(before, now, only), preview(after, now, only)
    refusals = [
        f"{kind} {name}: {problem}"
        for (kind, name), problems in new.refusals.items()
        for problem in problems
        if problem not in old.refusals.get((kind, name), ()) or _is_changed(kind, name, before, after)
    ]
    return _changes(footprint.footprint(old.made), footprint.footprint(new.made), before), refusals


def outcome(before: World, now: World, wanted: Sequence[Change], *, is_late: bool = False) -> Outcome:
    """Return what has come of the changes that were planned, from two readings of the hub."""
    found, made = footprint.footprint(before.made), footprint.footprint(now.made)
    missing = [change for change in wanted if made.get(change.difference.spot, "") != change.difference.after]
    joining = _joining(now)
    stuck = [change for change in missing if _far_end(change) in joining]
    concerned = {end for change in wanted for end in (change.difference.spot.cluster, _far_end(change))}
    awaited = [sentence for cluster, sentence in joining.items() if cluster in concerned]
    silent = _silent(now, set(map(_far_end, missing)))
    done = _changes(found, made, before)
    return Outcome(done, missing, awaited, silent, len(stuck), is_late=is_late and bool(missing))


def _far_end(change: Change) -> str:
    return footprint.leads_to(change.difference)


def _joining(world: World) -> dict[str, str]:
    """Return how each cluster joins that the hub waits for."""
    found = {
        name: clusters.awaited(Member(world.project, name), objects.status(obj)) for name, obj in world.clusters.items()
    }
    return {name: sentence for name, sentence in found.items() if sentence}


def _silent(world: World, names: Collection[str]) -> list[str]:
    """Return what is said of those clusters whose worker is not heard of."""
    found = [objects.condition(obj, clusters.REACHABLE) for name, obj in world.clusters.items() if name in names]
    return [str(entry["message"]) for entry in found if entry and entry["status"] == "False"]


def table(changes: Sequence[Change]) -> "Table":
    """Return the table for people; many parts of one kind share a line."""
    lines = [line for _, group in groupby(sorted(changes, key=_kind), key=_kind) for line in _lines(list(group))]
    rows = [(*_place(line[0]), _detail(line), _interrupted(line)) for line in lines]
    return views.drawn(HEADINGS, rows)


def summary(changes: Sequence[Change], *, are_done: bool = False) -> str:
    """Return the numbers in one sentence: of what would change or, when `are_done`, of what has changed."""
    if not changes:
        return "nothing has changed in any cluster" if are_done else "nothing changes in any cluster"
    counts = [
        f"{count} {action.removesuffix('e')}ed" if are_done else f"{count} to {action}"
        for action in SIGNS
        if (count := sum(change.difference.action == action for change in changes))
    ]
    cut = listing(sorted({change.difference.spot.cluster for change in changes if change.interrupts}))
    verb = "was" if are_done else "is"
    traffic = f"running traffic {verb} interrupted in {cut}" if cut else f"no running traffic {verb} interrupted"
    return f"{', '.join(counts)}; {traffic}"


def _changes(old: footprint.Footprint, new: footprint.Footprint, before: World) -> list[Change]:
    pods, homes = worlds.pods(before), interruptions.homes(new)
    differing = footprint.differences(old, new)
    return [Change(found, interruptions.interruption(found, new, pods, homes)) for found in differing]


def _is_changed(kind: str, name: str, before: World, after: World) -> bool:
    places = {resource.kind: place for resource, place in worlds.PLACES.items()}
    old, new = (getattr(world, places[kind]).get(name) or {} for world in (before, after))
    return bool(old.get("spec") != new.get("spec"))


def _kind(change: Change) -> tuple[str, str, str, str]:
    spot = change.difference.spot
    return spot.cluster, spot.slice, spot.what, change.difference.action


def _lines(found: list[Change]) -> list[list[Change]]:
    return [[change] for change in found] if len(found) <= SHOWN_SINGLY else [found]


def _place(change: Change) -> tuple[str, str, str, str]:
    spot = change.difference.spot
    return SIGNS[change.difference.action], spot.cluster, spot.slice or "-", spot.what


def _detail(line: Sequence[Change]) -> str:
    if len(line) > 1:
        return f"{len(line)}: {listing(change.difference.spot.name for change in line)}"
    found = line[0].difference
    words = f"{found.before} -> {found.after}" if found.action == "change" else found.before or found.after
    return f"{found.spot.name} {words}".strip()


def _interrupted(line: Sequence[Change]) -> str:
    return listing(change.interrupts for change in line if change.interrupts)
