"""Nobody grants what they do not hold: checked when roles and bindings are written, as the RBAC registry does.

The REST side asks before it stores a role or binding; the `escalate` and `bind` verbs are the ways around.
Source: k8s.io/kubernetes/pkg/registry/rbac.
"""

from collections.abc import Iterable, Iterator, Sequence

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.access.bootstrap import GROUP
from kubeslice.lab.apiserver.access.rules import Rule, parse_rule, uncovered
from kubeslice.lab.apiserver.authz import SUPERUSERS, Authorizer
from kubeslice.lab.apiserver.interfaces import ApiError, Attributes, Object, UserInfo
from kubeslice.lab.apiserver.schema.complaints import quote

_ROLES = {"Role": "roles", "ClusterRole": "clusterroles"}
_BINDINGS = {"RoleBinding": "rolebindings", "ClusterRoleBinding": "clusterrolebindings"}


def check_write(authorizer: Authorizer, user: UserInfo, obj: Object, old: Object | None) -> ApiError | None:
    """Return the refusal when writing a role or binding would give away what `user` does not hold.

    Other kinds are never refused. `old` is the stored object on updates.
    """
    if SUPERUSERS in user.groups:
        return None
    if obj.get("kind") in _ROLES:
        return _check_role(authorizer, user, obj, old)
    if obj.get("kind") in _BINDINGS:
        return _check_binding(authorizer, user, obj, old)
    return None


def _check_role(authorizer: Authorizer, user: UserInfo, role: Object, old: Object | None) -> ApiError | None:
    if old is not None and _same(role, old, ("rules", "aggregationRule")):
        return None
    name, namespace, resource = role["metadata"].get("name") or "", _namespace(role), _ROLES[role["kind"]]
    escalate = Attributes("escalate", GROUP, "v1", resource, namespace=namespace, name=name)
    if authorizer.decide(user, escalate).allowed:
        return None
    rules = [parse_rule(rule) for rule in role.get("rules") or ()]
    if role.get("aggregationRule"):
        rules += [Rule(frozenset("*"), frozenset("*"), frozenset("*")), Rule(frozenset("*"), urls=("*",))]
    return _refusal(authorizer, user, rules, namespace, resource, name)


def _check_binding(authorizer: Authorizer, user: UserInfo, binding: Object, old: Object | None) -> ApiError | None:
    if old is not None and _same(binding, old, ("subjects", "roleRef")):
        return None
    name, namespace = binding["metadata"].get("name") or "", _namespace(binding)
    reference = binding.get("roleRef") or {}
    role, resource = reference.get("name") or "", _ROLES.get(reference.get("kind") or "", "roles")
    bind = Attributes("bind", GROUP, "v1", resource, namespace=namespace, name=role)
    if authorizer.decide(user, bind).allowed:
        return None
    rules = authorizer.role_rules(reference, namespace)
    if rules is None:
        # kube-apiserver names the resource that is being written, and the role that is missing.
        return refusals.not_found(GROUP, _BINDINGS[binding["kind"]], role)
    return _refusal(authorizer, user, rules, namespace, _BINDINGS[binding["kind"]], name)


def _same(new: Object, old: Object, fields: Sequence[str]) -> bool:
    return all((new.get(field) or None) == (old.get(field) or None) for field in fields)


def _namespace(obj: Object) -> str:
    return obj["metadata"].get("namespace") or ""


def _refusal(
    authorizer: Authorizer, user: UserInfo, rules: Iterable[Rule], namespace: str, resource: str, name: str
) -> ApiError | None:
    missing = uncovered(authorizer.rules_for(user, namespace), rules)
    if not missing:
        return None
    lines = "\n".join(sorted({_described(rule) for rule in _compacted(missing)}))
    why = (
        f"user {quote(user.name)} (groups={_listed(user.groups)}) is attempting to grant RBAC permissions "
        f"not currently held:\n{lines}"
    )
    return refusals.forbidden(GROUP, resource, name, why)


def _compacted(rules: Iterable[Rule]) -> Iterator[Rule]:
    """Join the rules that differ in verbs only."""
    verbs: dict[Rule, set[str]] = {}
    for rule in rules:
        rest = Rule(frozenset(), rule.groups, rule.resources, rule.names, rule.urls)
        verbs.setdefault(rest, set()).update(rule.verbs)
    for rest, joined in verbs.items():
        yield Rule(frozenset(joined), rest.groups, rest.resources, rest.names, rest.urls)


def _described(rule: Rule) -> str:
    parts = (
        ("APIGroups", rule.groups),
        ("Resources", rule.resources),
        ("NonResourceURLs", rule.urls),
        ("ResourceNames", rule.names),
        ("Verbs", rule.verbs),
    )
    return "{" + ", ".join(f"{title}:{_listed(sorted(values))}" for title, values in parts if values) + "}"


def _listed(values: Iterable[str]) -> str:
    return f"[{' '.join(quote(value) for value in values)}]"
