"""Whom a name on the command line means: an account, user or group of a project, or a cluster's worker. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model import names
from kubeslice.model.project import Project, ProjectIdentities, ProjectServiceAccount

ACCOUNT, USER, GROUP, WORKER = KINDS = ("account", "user", "group", "worker")
_PREFIX = "system:serviceaccount:"
# A group is asked about through somebody of whom nothing is known but that they belong to it.
_MEMBER = "kubeslice:member"


@dataclass(frozen=True)
class Identity:
    """Somebody as the API server knows them, and what they are to KubeSlice; `project` is "" where they are in none."""

    kind: str
    name: str
    user: str
    groups: tuple[str, ...] = ()
    role: str = ""
    project: str = ""

    @property
    def sentence(self) -> str:
        """Return who it is, in words."""
        what = f"{self.kind} {self.name}"
        if self.project:
            what += f", {self.role} of project {self.project}" if self.role else f" of project {self.project}"
        return what

    def wire(self) -> dict[str, Any]:
        """Return what programs are told."""
        return {
            "kind": self.kind,
            "name": self.name,
            "project": self.project,
            "user": self.user,
            "groups": list(self.groups),
        }


def candidates(name: str, projects: Iterable[Object], clusters: Iterable[Object]) -> list[Identity]:
    """Return everybody of this name; a full name of a service account means that one alone."""
    if name.startswith(_PREFIX):
        return [of_user(name)]
    people = [found for project in projects for found in _people(Project.parse(project), name)]
    workers = [_worker(cluster) for cluster in clusters if objects.name(cluster) == name]
    return [*people, *workers]


def outsider(kind: str, name: str, groups: Sequence[str] = ()) -> Identity:
    """Return a user or group of the identity provider that no project names."""
    if kind == GROUP:
        return Identity(GROUP, name, _MEMBER, (name, *groups))
    return Identity(USER, name, name, tuple(groups))


def of_user(user: str, groups: Sequence[str] = ()) -> Identity:
    """Return who a user is by the name that the API server has for them."""
    namespace, _, account = user.removeprefix(_PREFIX).partition(":")
    if not user.startswith(_PREFIX) or not account:
        return Identity(USER, user, user, tuple(groups))
    for kind, role, prefix in (
        (ACCOUNT, "reader", names.read_only_account("")),
        (ACCOUNT, "writer", names.read_write_account("")),
        (WORKER, "", names.worker_account("")),
    ):
        if account.startswith(prefix) and namespace.startswith(names.PROJECT_NAMESPACE_PREFIX):
            return Identity(kind, account.removeprefix(prefix), user, (), role, names.project_of(namespace))
    return Identity(ACCOUNT, f"{namespace}/{account}", user)


def _people(project: Project, name: str) -> Iterator[Identity]:
    spec, home = project.spec, project.metadata.name
    accounts = spec.service_account or ProjectServiceAccount()
    if name in accounts.read_only:
        yield _account(home, names.read_only_account(name))
    if name in accounts.read_write:
        yield _account(home, names.read_write_account(name))
    for kind, listed in ((USER, spec.users), (GROUP, spec.groups)):
        given = listed or ProjectIdentities()
        for role, found in (("reader", given.read_only), ("writer", given.read_write)):
            if name in found:
                known = outsider(kind, name)
                yield Identity(kind, name, known.user, known.groups, role, home)


def _worker(cluster: Object) -> Identity:
    project = names.project_of(objects.namespace(cluster))
    return _account(project, names.worker_account(objects.name(cluster)))


def _account(project: str, account: str) -> Identity:
    return of_user(f"{_PREFIX}{names.project_namespace(project)}:{account}")
