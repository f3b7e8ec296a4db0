"""Who may do what on the hub, cell by cell: the roles that the hub really made, judged by a real authorizer.

Everything that `ALLOWED` does not list is forbidden. A right that is given to anybody has to be written here too.
"""

import asyncio
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from kubeslice.cli import auth
from kubeslice.cli.main import app
from kubeslice.kube import objects
from kubeslice.kube.errors import Forbidden, Unauthorized
from kubeslice.kube.http import HttpApi
from kubeslice.lab.apiserver.authz import Authorizer
from kubeslice.lab.apiserver.interfaces import Attributes, UserInfo
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.model.names import worker_account as own_account
from kubeslice.model.resources import CONTROLLER_GROUP, NETWORKING_GROUP, WORKER_GROUP, Resource
from tests.conftest import ApiServer
from tests.hub.stage import Stage

pytestmark = pytest.mark.api

Object = dict[str, Any]
REVIEWS = Resource("authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", namespaced=False)
RBAC = r.ROLES.group

READ = frozenset({"get", "list", "watch"})
WRITE = frozenset({"create", "update", "patch", "delete", "deletecollection"})
VERBS = sorted(READ | WRITE | {"bind", "escalate", "impersonate"})
USERS_KINDS = frozenset({"clusters", "sliceconfigs", "sliceqosconfigs"})
WORKER_KINDS = frozenset({"workersliceconfigs", "workerslicegateways", "workerserviceimports"})
SEEN_KINDS = USERS_KINDS | WORKER_KINDS | {"vpnkeyrotations", "serviceexportconfigs", "events"}
SEEN_KINDS |= {"sliceresourcequotas", "sliceipams"}
STATUSES = frozenset(f"{kind}/status" for kind in WORKER_KINDS)
GROUPS = {
    CONTROLLER_GROUP: [
        "projects", "projects/status", "clusters", "clusters/status", "clusters/finalizers", "sliceconfigs",
        "sliceconfigs/status", "sliceqosconfigs", "sliceqosconfigs/status", "vpnkeyrotations", "vpnkeyrotations/status",
        "sliceresourcequotas", "sliceresourcequotas/status", "sliceipams", "sliceipams/status",
        "serviceexportconfigs", "serviceexportconfigs/status",
    ],
    WORKER_GROUP: [*sorted(WORKER_KINDS | STATUSES), "workerslicegwrecyclers"],
    NETWORKING_GROUP: ["slices", "serviceexports"],
    RBAC: ["roles", "rolebindings", "clusterroles", "clusterrolebindings"],
    "": ["secrets", "serviceaccounts", "serviceaccounts/token", "events", "namespaces", "configmaps", "pods", "nodes"],
    "coordination.k8s.io": ["leases"],
}  # fmt: skip
KINDS = [(group, kind) for group, kinds in GROUPS.items() for kind in kinds]


class Grant(NamedTuple):
    """What a role allows: in which places, on which kinds and names (all when empty), with which verbs."""

    places: frozenset[str]
    kinds: frozenset[str]
    verbs: frozenset[str]
    only: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Subject:
    """Somebody, and what they are allowed."""

    user: UserInfo
    allowed: tuple[Grant, ...] = ()

    def may(self, verb: str, kind: str, place: str, name: str) -> bool:
        return any(
            place in grant.places
            and kind in grant.kinds
            and verb in grant.verbs
            and (not grant.only or name in grant.only)
            for grant in self.allowed
        )


def reader(home: str, *clusters: str) -> tuple[Grant, ...]:
    return (Grant(frozenset({home, *clusters}), SEEN_KINDS, READ),)


def writer(home: str, *clusters: str) -> tuple[Grant, ...]:
    at_home = frozenset({home})
    workers = frozenset(own_account(cluster.removeprefix(f"{home}-")) for cluster in clusters)
    return (
        *reader(home, *clusters),
        Grant(at_home, USERS_KINDS, WRITE),
        Grant(at_home, frozenset({"secrets"}), frozenset({"get"}), workers),
        Grant(at_home, frozenset({"serviceaccounts/token"}), frozenset({"create"}), workers),
    )


def worker(home: str, own: str, cluster: str) -> tuple[Grant, ...]:
    at_home, inside, patch = frozenset({home}), frozenset({own}), frozenset({"patch"})
    return (
        Grant(at_home, frozenset({"clusters"}), READ, frozenset({cluster})),
        Grant(at_home, frozenset({"clusters/status"}), patch, frozenset({cluster})),
        Grant(at_home, frozenset({"serviceaccounts/token"}), frozenset({"create"}), frozenset({own_account(cluster)})),
        Grant(inside, WORKER_KINDS, READ | patch),
        Grant(inside, STATUSES, patch),
        Grant(inside, frozenset({"serviceexportconfigs"}), READ | {"create", "patch", "delete"}),
        Grant(inside, frozenset({"secrets"}), READ),
    )


def account(home: str, name: str) -> UserInfo:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{home}", "system:authenticated")
    return UserInfo(f"system:serviceaccount:{home}:{name}", groups)


def person(name: str, *groups: str) -> UserInfo:
    return UserInfo(name, (*groups, "system:authenticated"))


class Listed:
    """The roles and bindings of a server, as its authorizer reads them."""

    def __init__(self, found: dict[str, list[Object]]) -> None:
        self._found = found

    @classmethod
    async def of(cls, api: HttpApi) -> "Listed":
        kinds = (r.ROLES, r.ROLEBINDINGS, r.CLUSTERROLES, r.CLUSTERROLEBINDINGS)
        return cls({kind.plural: (await api.list(kind)).items for kind in kinds})

    def get(self, _group: str, resource: str, namespace: str, name: str) -> Object | None:
        same = (
            obj for obj in self._found[resource] if (objects.namespace(obj), objects.name(obj)) == (namespace, name)
        )
        return next(same, None)

    def list(self, _group: str, resource: str, _namespace: str = "") -> Iterable[Object]:
        return self._found[resource]

    def changed_at(self, _group: str, _resource: str) -> int:
        return 1


class Cell(NamedTuple):
    who: str
    verb: str
    group: str
    kind: str
    place: str
    name: str


async def ask(admin: HttpApi, user: UserInfo, cell: Cell) -> bool:
    resource, _, part = cell.kind.partition("/")
    asked = {
        "verb": cell.verb,
        "group": cell.group,
        "version": "*",
        "resource": resource,
        "subresource": part,
        "namespace": cell.place,
        "name": cell.name,
    }
    spec = {"user": user.name, "groups": list(user.groups), "resourceAttributes": asked}
    return bool(objects.status(await admin.create(REVIEWS, {"metadata": {}, "spec": spec}))["allowed"])


def decided(authorizer: Authorizer, user: UserInfo, cell: Cell) -> bool:
    resource, _, part = cell.kind.partition("/")
    asked = Attributes(cell.verb, cell.group, "v1", resource, part, cell.place, cell.name)
    return authorizer.decide(user, asked).allowed


def cells(people: Iterable[str], places: Sequence[str], clusters: Sequence[str]) -> Iterator[Cell]:
    for who, (group, kind), verb, place in product(people, KINDS, VERBS, places):
        accounts = [own_account(cluster) for cluster in clusters]
        called = {"clusters": clusters, "serviceaccounts": accounts, "secrets": accounts}
        for name in ["", *called.get(kind.partition("/")[0], ())]:
            yield Cell(who, verb, group, kind, place, name)


async def test_everybody_may_do_what_the_table_says_and_nothing_else(stage: Stage) -> None:
    other = Stage(stage.url, stage.admin)
    identities = {"users": {"readOnly": ["zoe@example.com"]}, "groups": {"readWrite": [f"ops-{stage.project}"]}}
    await stage.make_project(readOnly=["ann"], readWrite=["bob"], identities=identities)
    await other.make_project(readOnly=["ann"], readWrite=["eve"])
    await stage.register("a1", "a2")
    await other.register("b1")
    a, a1, a2 = stage.home, stage.namespace_of("a1"), stage.namespace_of("a2")
    b, b1 = other.home, other.namespace_of("b1")
    table = {
        "reader of A": Subject(account(a, "kubeslice-rbac-ro-ann"), reader(a, a1, a2)),
        "writer of A": Subject(account(a, "kubeslice-rbac-rw-bob"), writer(a, a1, a2)),
        "user who reads A": Subject(person("zoe@example.com"), reader(a, a1, a2)),
        "group that writes A": Subject(person("x", f"ops-{stage.project}"), writer(a, a1, a2)),
        "worker a1": Subject(account(a, own_account("a1")), worker(a, a1, "a1")),
        "worker a2": Subject(account(a, own_account("a2")), worker(a, a2, "a2")),
        "reader of B": Subject(account(b, "kubeslice-rbac-ro-ann"), reader(b, b1)),
        "writer of B": Subject(account(b, "kubeslice-rbac-rw-eve"), writer(b, b1)),
        "worker b1": Subject(account(b, own_account("b1")), worker(b, b1, "b1")),
        "another account of A": Subject(account(a, "default")),
        "stranger": Subject(person("somebody")),
        "anonymous": Subject(UserInfo("system:anonymous", ("system:unauthenticated",))),
    }
    everything = list(cells(table, ["", names.HUB_NAMESPACE, a, a1, a2, b, b1], ["a1", "b1"]))
    authorizer = Authorizer(await Listed.of(stage.admin))
    expected = {cell: table[cell.who].may(cell.verb, cell.kind, cell.place, cell.name) for cell in everything}
    wrong = [cell for cell in everything if decided(authorizer, table[cell.who].user, cell) != expected[cell]]
    assert wrong == []
    yes = sum(expected.values())
    assert 0 < yes < len(everything) / 20, "most cells say no"

    chance = random.Random(7)
    asked = chance.sample(everything, 60) + chance.sample([cell for cell in everything if expected[cell]], 60)
    for cell in asked:
        assert await ask(stage.admin, table[cell.who].user, cell) == expected[cell], cell
    await other.log_out()


async def test_an_explanation_is_what_the_server_says(stage: Stage) -> None:
    await stage.make_project(readOnly=["ann"], identities={"groups": {"readWrite": [f"ops-{stage.project}"]}})
    workers = await stage.register("west")
    everywhere = await auth.namespaces(stage.admin, stage.project)
    assert everywhere == sorted([names.HUB_NAMESPACE, stage.home, stage.namespace_of("west")])

    west = await auth.resolve(stage.admin, "west", None, stage.project, [])
    assert west.sentence == f"worker west of project {stage.project}"
    async with stage.admin.acting_as(west.user, west.groups) as impersonated:
        found, is_complete = await auth.reviews(impersonated, everywhere)
    assert is_complete
    assert found[names.HUB_NAMESPACE] == []
    at_home = {(rule.kind, rule.only, tuple(sorted(rule.verbs))) for rule in found[stage.home]}
    assert ("clusters", ("west",), ("get", "list", "watch")) in at_home
    assert (await auth.reviews(workers["west"].api, everywhere))[0] == found
    assert (await auth.myself(workers["west"].api)).sentence == west.sentence

    ops = await auth.resolve(stage.admin, f"ops-{stage.project}", None, None, [])
    async with stage.admin.acting_as(ops.user, ops.groups) as impersonated:
        (written,) = [rule for rule in (await auth.reviews(impersonated, [stage.home]))[0][stage.home]
                      if rule.kind == "sliceconfigs"]  # fmt: skip
        assert written.allows("delete")
        await impersonated.list(r.SLICECONFIGS, stage.home)
        with pytest.raises(Forbidden):
            await impersonated.list(r.PROJECTS, names.HUB_NAMESPACE)


async def test_the_command_prints_it_for_people_and_for_programs(stage: Stage, api_server: ApiServer) -> None:
    await stage.make_project(readOnly=["ann"])
    await stage.register("west")

    async def run(*arguments: str) -> str:
        target = ["--kubeconfig", str(api_server.kubeconfig)]
        done = await asyncio.to_thread(CliRunner().invoke, app, ["auth", *arguments, *target])
        assert done.exit_code == 0, done.output
        return done.stdout

    table = await run("explain", "ann", "--project", stage.project)
    assert table.startswith(f"account ann, reader of project {stage.project}")
    assert f"nothing at all in {names.HUB_NAMESPACE}" in table
    told = json.loads(await run("explain", "west", "--project", stage.project, "-o", "json"))
    assert told["subject"]["kind"] == "worker"
    assert told["nothingIn"] == [names.HUB_NAMESPACE]
    (own,) = [rule for rule in told["rules"] if rule["resource"] == "clusters"]
    assert (own["namespaces"], own["names"], own["verbs"]) == ([stage.home], ["west"], ["get", "list", "watch"])
    assert "user" in await run("whoami")


async def test_people_who_are_taken_off_the_list_are_bound_no_more(stage: Stage) -> None:
    await stage.make_project(readOnly=["ann"], identities={"users": {"readOnly": ["zoe"], "readWrite": ["tom"]}})
    await stage.register("west")
    zoe = Cell("", "list", CONTROLLER_GROUP, "clusters", stage.home, "")
    await stage.until(lambda: ask(stage.admin, person("zoe"), zoe))
    await stage.make_project(readOnly=["ann"], identities={"users": {"readOnly": ["ida"]}})

    async def left() -> bool:
        places = (stage.home, stage.namespace_of("west"))
        kept = [await ask(stage.admin, person(who), zoe._replace(place=place))
                for who in ("zoe", "tom") for place in places]  # fmt: skip
        return not any(kept)

    await stage.until(left)
    assert await ask(stage.admin, person("ida"), zoe)
    await stage.gone(r.ROLEBINDINGS, "kubeslice-read-write", stage.home)


async def test_nobody_without_a_credential_sees_anything(stage: Stage) -> None:
    await stage.make_project()
    async with stage.admin.acting_as("system:anonymous") as anonymous:
        for resource, namespace in (
            (r.CLUSTERS, stage.home),
            (r.SECRETS, stage.home),
            (r.PROJECTS, names.HUB_NAMESPACE),
        ):
            with pytest.raises((Forbidden, Unauthorized)):
                await anonymous.list(resource, namespace)
