"""`kubeslice plan` and `kubeslice apply`: what objects mean in every cluster, before and after they are applied."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kubeslice.cli.target import Context, Kubeconfig, fail, run_with_api

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubeslice.cli.changes import Change, Outcome
    from kubeslice.cli.objectfile import Wish
    from kubeslice.kube.http import HttpApi
    from kubeslice.plan.changes.preview import World

CHANGES = 2
LOOK_EVERY = 0.2

Files = Annotated[
    list[Path],
    typer.Option("-f", "--filename", help="YAML or JSON of slices, clusters, profiles, limits; - for stdin."),
]
Project = Annotated[str | None, typer.Option("-p", "--project", help="Project of objects without a namespace.")]
Output = Annotated[str, typer.Option("-o", "--output", help="table or json.")]


def plan(
    files: Files,
    project: Project = None,
    output: Output = "table",
    *,
    delete: Annotated[bool, typer.Option("--delete", help="Delete the objects of the files: what would go?")] = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Show what slices, clusters, profiles and limits change in every cluster, and which running traffic would stop.

    Exits 0 when nothing would change, 2 when something would, 1 when the hub would refuse it or cannot be asked.
    """
    from kubeslice.cli.objectfile import read

    wishes, look = read(files, project), _all_removed if delete else _all_planned
    changes, obstacles = run_with_api(kubeconfig, context, lambda api: look(api, wishes))
    _print(changes, output, are_done=False)
    if obstacles:
        fail("in the way of the deletion:\n  " + "\n  ".join(obstacles))
    raise typer.Exit(CHANGES if changes else 0)


def apply(
    files: Files,
    project: Project = None,
    output: Output = "table",
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait until the hub has done all of it.")] = 30.0,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Apply slices, clusters, profiles and limits, and show what that changed in every cluster, as `plan` foretells it.

    Fields that the files do not name stay as they are. Exits 1 when the hub refuses, has not done all in time, or can
    do no more before a cluster has joined: then nothing is waited for, and it is said how that joins.
    """
    from kubeslice.cli.objectfile import read

    wishes = read(files, project)
    outcomes = run_with_api(kubeconfig, context, lambda api: _all_applied(api, wishes, wait))
    _print([change for outcome in outcomes for change in outcome.done], output, are_done=True)
    for sentence in (sentence for outcome in outcomes for sentence in outcome.awaited):
        typer.echo(f"next: {sentence}", err=True)
    missing = [change for outcome in outcomes for change in outcome.missing]
    if missing:
        from kubeslice.cli.changes import summary

        is_late = any(outcome.is_late for outcome in outcomes)
        why = f"within {wait:g} s, look at `kubeslice slice get`" if is_late else "before that"
        silent = [sentence for outcome in outcomes for sentence in outcome.silent]
        fail("; ".join([f"not done {why}: {summary(missing)}", *silent]))


async def _all_planned(api: "HttpApi", wishes: "Sequence[Wish]") -> "tuple[list[Change], list[str]]":
    return [change for part in _by_project(wishes) for change in (await _planned(api, part))[1]], []


async def _all_removed(api: "HttpApi", wishes: "Sequence[Wish]") -> "tuple[list[Change], list[str]]":
    """Return what goes with the objects of the wishes, and what is in the way of deleting them."""
    found: list[Change] = []
    obstacles: list[str] = []
    for part in _by_project(wishes):
        changes, in_the_way = await _removed(api, part)
        found += changes
        obstacles += in_the_way
    return found, obstacles


async def _removed(api: "HttpApi", wishes: "Sequence[Wish]") -> "tuple[list[Change], list[str]]":
    from datetime import UTC, datetime

    from kubeslice.cli import changes, rehearsal, worlds
    from kubeslice.plan.changes.preview import affected
    from kubeslice.plan.changes.removal import removed

    world, doomed = await worlds.gather(api, wishes[0].project), worlds.doomed(wishes)
    refusals = [refusal for wish in wishes if (refusal := await rehearsal.rehearse_deletion(api, wish))]
    touched = affected(world, removed(world, doomed)[0])
    world = await worlds.furnish(api, world, touched)
    after, obstacles = removed(world, doomed)
    found, problems = changes.planned(world, after, datetime.now(UTC), touched)
    return found, [*refusals, *obstacles, *problems]


async def _all_applied(api: "HttpApi", wishes: "Sequence[Wish]", patience: float) -> "list[Outcome]":
    outcomes = []
    for part in _by_project(wishes):
        world, wanted, touched = await _planned(api, part)
        await _write(api, part, world)
        outcomes.append(await _settled(api, world, touched, wanted, patience))
    return outcomes


def _by_project(wishes: "Sequence[Wish]") -> "list[list[Wish]]":
    projects = sorted({wish.project for wish in wishes})
    return [[wish for wish in wishes if wish.project == project] for project in projects]


async def _planned(api: "HttpApi", wishes: "Sequence[Wish]") -> "tuple[World, list[Change], list[str]]":
    """Return a project as it is, what the wishes change in it, and in which slices; ends the program on a refusal."""
    from datetime import UTC, datetime

    from kubeslice.cli import changes, rehearsal, worlds
    from kubeslice.plan.changes.preview import affected

    world = await worlds.gather(api, wishes[0].project)
    rehearsed = [(wish, await rehearsal.rehearse(api, wish, worlds.seen(world, wish))) for wish in wishes]
    accepted = [(wish, obj) for wish, obj in rehearsed if not isinstance(obj, str)]
    refusals = [obj for _, obj in rehearsed if isinstance(obj, str)]
    touched = affected(world, worlds.with_wishes(world, accepted))
    world = await worlds.furnish(api, world, touched)
    found, problems = changes.planned(world, worlds.with_wishes(world, accepted), datetime.now(UTC), touched)
    if refusals or problems:
        fail("the hub refuses this:\n  " + "\n  ".join([*refusals, *problems]))
    return world, found, touched


async def _write(api: "HttpApi", wishes: "Sequence[Wish]", world: "World") -> None:
    from kubeslice.cli import rehearsal, worlds

    for wish in wishes:
        await rehearsal.write(api, wish, worlds.seen(world, wish))


async def _settled(
    api: "HttpApi", before: "World", touched: "list[str]", wanted: "Sequence[Change]", patience: float
) -> "Outcome":
    """Wait until the hub has made all that was planned, or all that it can make before a cluster has joined."""
    import asyncio

    from kubeslice.cli import changes, worlds

    deadline = asyncio.get_running_loop().time() + patience
    while True:
        world = await worlds.furnish(api, await worlds.gather(api, before.project), touched)
        outcome = changes.outcome(before, world, wanted, is_late=asyncio.get_running_loop().time() >= deadline)
        if not outcome.is_open:
            return outcome
        await asyncio.sleep(LOOK_EVERY)


def _print(found: "Sequence[Change]", output: str, *, are_done: bool) -> None:
    from kubeslice.cli import changes
    from kubeslice.cli.output import console

    if output == "json":
        import json

        typer.echo(json.dumps([change.wire() for change in found], indent=2))
        return
    if output != "table":
        fail(f"--output {output!r} is not known: use table or json")
    if found:
        console().print(changes.table(found))
    console().print(changes.summary(found, are_done=are_done))
