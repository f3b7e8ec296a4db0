"""`kubeslice auth`: who somebody is on the hub, and what the API server says they may do."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from kubeslice.cli import identities, permissions, views
from kubeslice.cli.finding import Project, require_project
from kubeslice.cli.identities import KINDS, Identity
from kubeslice.cli.output import Output, console
from kubeslice.cli.permissions import Permission
from kubeslice.cli.target import Context, Kubeconfig, fail, run_with_api
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import Forbidden
from kubeslice.model import names
from kubeslice.model.resources import CLUSTERS, PROJECTS, SELFSUBJECTREVIEWS, SELFSUBJECTRULESREVIEWS

if TYPE_CHECKING:
    from kubeslice.kube.http import HttpApi

app = typer.Typer(help="See who may do what on the hub.", no_args_is_help=True, rich_markup_mode=None)

AT_ONCE = 8
Found = dict[str, Sequence[Permission]]


@app.command("whoami")
def whoami(output: Output = "table", kubeconfig: Kubeconfig = None, context: Context = None) -> None:
    """Say who you are to the hub's API server, and what you are to KubeSlice."""
    known = run_with_api(kubeconfig, context, myself)
    if output == "table":
        typer.echo(known.sentence)
        typer.echo(f"user    {known.user}\ngroups  {', '.join(known.groups) or 'none'}")
        return
    _dump(known.wire(), output)


@app.command("explain")
def explain(
    who: Annotated[
        str | None,
        typer.Argument(help="A user, group, account or cluster, or the full name of a service account; default you."),
    ] = None,
    project: Project = None,
    *,
    kind: Annotated[
        str | None, typer.Option("--kind", help="What the name is: account, user, group or worker (of a cluster).")
    ] = None,
    group: Annotated[list[str] | None, typer.Option("--group", help="A group the user is in; repeat for more.")] = None,
    output: Output = "table",
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Show what a user or a worker may do on the hub, kind by kind and namespace by namespace."""

    async def work(api: "HttpApi") -> tuple[Identity, Found, bool]:
        if who is None:
            return await myself(api), *await reviews(api, await namespaces(api, project))
        known = await resolve(api, who, kind, project, group or [])
        asked = await namespaces(api, project)
        async with api.acting_as(known.user, known.groups) as other:
            try:
                return known, *await reviews(other, asked)
            except Forbidden as refusal:
                fail(f"{known.sentence} may not even ask what is allowed: {refusal.message}")

    known, found, is_complete = run_with_api(kubeconfig, context, work)
    if who is not None and not known.project:
        typer.echo(f"no project names {who}: this is what any {known.kind} of that name may do", err=True)
    _show(known, found, output, is_complete=is_complete)


async def myself(api: Api) -> Identity:
    """Return whom the API server takes us for."""
    answer = await api.create(SELFSUBJECTREVIEWS, {"metadata": {}})
    info = objects.status(answer)["userInfo"]
    known = identities.of_user(info["username"])
    return Identity(
        known.kind, known.name, known.user, tuple(info.get("groups") or ()), role=known.role, project=known.project
    )


async def resolve(api: Api, who: str, kind: str | None, project: str | None, groups: Sequence[str]) -> Identity:
    """Return whom a name means; ends the program with a clear line where it could mean several."""
    if kind is not None and kind not in KINDS:
        fail(f"--kind {kind!r} is not known: use {', '.join(KINDS)}")
    try:
        everything = (await api.list(PROJECTS, names.HUB_NAMESPACE)).items
    except Forbidden as refusal:
        fail(f"{refusal.message}: administrators ask about others; to ask about yourself leave {who} out")
    projects = [obj for obj in everything if _is_meant(obj, project)]
    home = names.project_namespace(project) if project else None
    found = identities.candidates(who, projects, (await api.list(CLUSTERS, home)).items)
    found = [one for one in found if kind in (None, one.kind)]
    if len({(one.kind, one.user, one.groups) for one in found}) > 1:
        several = "; ".join(one.sentence for one in found)
        fail(f"{who!r} can be {several}: say which with --kind or --project")
    if not found and kind in (identities.ACCOUNT, identities.WORKER):
        fail(f"there is no {kind} {who!r} in {f'project {project}' if project else 'any project'}")
    known = found[0] if found else identities.outsider(kind or identities.USER, who)
    if not groups:
        return known
    return Identity(known.kind, known.name, known.user, (*known.groups, *groups), known.role, known.project)


async def namespaces(api: Api, project: str | None) -> list[str]:
    """Return the namespaces on the hub where something of a project, or of any, is, and the hub's own."""
    home = names.project_namespace(project) if project else None
    if project:
        await require_project(api, project)
    try:
        clusters = (await api.list(CLUSTERS, home)).items
        homes = [home] if home else await _homes(api)
    except Forbidden as refusal:
        fail(f"{refusal.message}: name a project of yours with --project, or ask an administrator")
    own = [names.cluster_namespace(names.project_of(objects.namespace(obj)), objects.name(obj)) for obj in clusters]
    return sorted({names.HUB_NAMESPACE, *homes, *own})


async def reviews(api: Api, asked: Iterable[str]) -> tuple[Found, bool]:
    """Ask what we may do in each namespace; the answer is whole unless an authorizer cannot list its rules."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def review(namespace: str) -> Object:
        async with gate:
            return await api.create(SELFSUBJECTRULESREVIEWS, {"metadata": {}, "spec": {"namespace": namespace}})

    places = list(asked)
    answers = await asyncio.gather(*map(review, places))
    found: Found = {place: permissions.permissions(answer) for place, answer in zip(places, answers, strict=True)}
    return found, not any(objects.status(answer).get("incomplete") for answer in answers)


async def _homes(api: Api) -> list[str]:
    return [names.project_namespace(objects.name(obj)) for obj in (await api.list(PROJECTS, names.HUB_NAMESPACE)).items]


def _is_meant(obj: Object, project: str | None) -> bool:
    return project in (None, objects.name(obj))


def _show(known: Identity, found: Found, output: str, *, is_complete: bool) -> None:
    allowed = permissions.by_permission(found)
    nothing = sorted(place for place, rules in found.items() if not rules)
    if output != "table":
        rules = [permission.wire(places) for permission, places in allowed.items()]
        _dump({"subject": known.wire(), "rules": rules, "nothingIn": nothing, "complete": is_complete}, output)
        return
    out = console()
    out.print(known.sentence, f"(user {known.user})" if known.user != known.name else "")
    if allowed:
        out.print(views.drawn(permissions.HEADINGS, permissions.rows(allowed)))
    if nothing:
        out.print(f"nothing at all in {', '.join(nothing)}")
    if not is_complete:
        out.print("the API server has an authorizer that cannot list its rules: there may be more")


def _dump(value: Object, output: str) -> None:
    if output == "json":
        import json

        typer.echo(json.dumps(value, indent=2))
    elif output == "yaml":
        import yaml

        typer.echo(yaml.safe_dump(value, sort_keys=False), nl=False)
    else:
        fail(f"--output {output!r} is not known: use table, json or yaml")
