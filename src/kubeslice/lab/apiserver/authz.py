"""Who may do what: the RBAC authorizer, asked for every request and by access reviews.

Bindings are indexed by subject; the index, and the decisions made from it, hold until a role or binding changes.
Source: k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.access.bootstrap import GROUP
from kubeslice.lab.apiserver.access.rules import Rule, parse_rule
from kubeslice.lab.apiserver.interfaces import ApiError, Attributes, Decision, Object, ObjectReader, UserInfo
from kubeslice.lab.apiserver.schema.complaints import quote
from kubeslice.lab.apiserver.selection.labels import selects

SUPERUSERS = "system:masters"
_RESOURCES = ("roles", "clusterroles", "rolebindings", "clusterrolebindings")
_REMEMBERED = 8192


class Subject(NamedTuple):
    """Whom a binding names: `User`, `Group` or `ServiceAccount`; service accounts by their user name."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What one binding gives one subject; an empty namespace is every namespace and the cluster itself."""

    namespace: str
    rules: tuple[Rule, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Index:
    """The grants of each subject, and what could not be resolved."""

    revision: tuple[int, ...]
    grants: Mapping[Subject, tuple[Grant, ...]]
    missing: Mapping[Subject, tuple[tuple[str, str], ...]]


class Authorizer:
    """Decides from the roles and bindings that `reader` holds."""

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader
        self._index = Index((), {}, {})
        self._decided: dict[tuple[str, tuple[str, ...], Attributes], Decision] = {}

    def decide(self, user: UserInfo, asked: Attributes) -> Decision:
        """Say whether `user` may do what is asked, and by which binding."""
        self._refresh()
        key = (user.name, user.groups, asked)
        known = self._decided.get(key)
        if known is None:
            if len(self._decided) >= _REMEMBERED:
                self._decided.clear()
            known = self._decided[key] = self._decide(user, asked)
        return known

    def _decide(self, user: UserInfo, asked: Attributes) -> Decision:
        if SUPERUSERS in user.groups:
            return Decision(allowed=True)
        for grant in self._grants(user, asked.namespace):
            if any(rule.allows(asked) for rule in grant.rules):
                return Decision(allowed=True, reason=grant.reason)
        return Decision(allowed=False, reason=self._unresolved(user, asked.namespace))

    def _unresolved(self, user: UserInfo, namespace: str) -> str:
        found = [
            what
            for subject in _subjects(user)
            for where, what in self._index.missing.get(subject, ())
            if where in ("", namespace)
        ]
        if not found:
            return ""
        return f"RBAC: {found[0]}" if len(found) == 1 else f"RBAC: [{', '.join(found)}]"

    def rules_for(self, user: UserInfo, namespace: str) -> list[Rule]:
        """Return every rule that applies to `user` in a namespace (empty: at the cluster scope)."""
        self._refresh()
        return [rule for grant in self._grants(user, namespace) for rule in grant.rules]

    def _grants(self, user: UserInfo, namespace: str) -> Iterator[Grant]:
        for subject in _subjects(user):
            for grant in self._index.grants.get(subject, ()):
                if not grant.namespace or grant.namespace == namespace:
                    yield grant

    def role_rules(self, reference: Object, namespace: str) -> list[Rule] | None:
        """Return the rules of the role that a binding refers to, or None when there is no such role."""
        if reference.get("kind") == "Role":
            role = self._reader.get(GROUP, "roles", namespace, reference.get("name") or "")
        else:
            role = self._reader.get(GROUP, "clusterroles", "", reference.get("name") or "")
        return None if role is None else [parse_rule(rule) for rule in self._rules_of(role)]

    def _rules_of(self, role: Object, seen: frozenset[str] = frozenset()) -> Iterator[Object]:
        yield from role.get("rules") or ()
        selectors = (role.get("aggregationRule") or {}).get("clusterRoleSelectors") or ()
        if not selectors:
            return
        seen = seen | {role["metadata"]["name"]}
        for other in self._reader.list(GROUP, "clusterroles"):
            labels = other["metadata"].get("labels") or {}
            if other["metadata"]["name"] not in seen and any(selects(selector, labels) for selector in selectors):
                yield from self._rules_of(other, seen)

    def _refresh(self) -> None:
        changed_at = self._reader.changed_at
        revision = tuple(changed_at(GROUP, resource) for resource in _RESOURCES)
        if revision != self._index.revision:
            self._index = self._build(revision)
            self._decided = {}

    def _build(self, revision: tuple[int, ...]) -> Index:
        grants: dict[Subject, list[Grant]] = defaultdict(list)
        missing: dict[Subject, list[tuple[str, str]]] = defaultdict(list)
        for resource in ("clusterrolebindings", "rolebindings"):
            for binding in self._reader.list(GROUP, resource):
                namespace = binding["metadata"].get("namespace") or ""
                reference = binding.get("roleRef") or {}
                rules = self.role_rules(reference, namespace)
                for subject in binding.get("subjects") or ():
                    who = _subject(subject, namespace)
                    if rules is None:
                        missing[who].append((namespace, _missing(reference)))
                    else:
                        grants[who].append(Grant(namespace, tuple(rules), _reason(binding, reference, subject)))
        return Index(
            revision,
            {subject: tuple(found) for subject, found in grants.items()},
            {subject: tuple(found) for subject, found in missing.items()},
        )


def _subjects(user: UserInfo) -> Iterator[Subject]:
    yield Subject("User", user.name)
    for group in user.groups:
        yield Subject("Group", group)


def _subject(subject: Object, namespace: str) -> Subject:
    name = subject.get("name") or ""
    if subject.get("kind") == "ServiceAccount":
        return Subject("User", f"system:serviceaccount:{subject.get('namespace') or namespace}:{name}")
    return Subject(subject.get("kind") or "", name)


def _missing(reference: Object) -> str:
    return f'{(reference.get("kind") or "").lower()}.{GROUP} "{reference.get("name")}" not found'


def _reason(binding: Object, reference: Object, subject: Object) -> str:
    namespace = binding["metadata"].get("namespace") or ""
    name = binding["metadata"]["name"]
    kind, shown = ("RoleBinding", f"{name}/{namespace}") if namespace else ("ClusterRoleBinding", name)
    who = subject.get("name") or ""
    if subject.get("kind") == "ServiceAccount":
        who = f"{who}/{subject.get('namespace') or namespace}"
    return (
        f"RBAC: allowed by {kind} {quote(shown)} of {reference.get('kind')} {quote(reference.get('name') or '')} "
        f"to {subject.get('kind')} {quote(who)}"
    )


def refusal(user: UserInfo, asked: Attributes, decision: Decision) -> ApiError:
    """Make the 403 for a request that was not allowed."""
    why = f"User {quote(user.name)} cannot {asked.verb} "
    if not asked.resource:
        why += f"path {quote(asked.path)}"
    else:
        resource = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
        where = f"in the namespace {quote(asked.namespace)}" if asked.namespace else "at the cluster scope"
        why += f"resource {quote(resource)} in API group {quote(asked.group)} {where}"
    if decision.reason:
        why += f": {decision.reason}"
    return refusals.forbidden(asked.group, asked.resource, asked.name, why)
