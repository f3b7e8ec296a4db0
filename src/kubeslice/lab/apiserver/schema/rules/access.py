"""Roles and bindings.

Source: k8s.io/kubernetes/pkg/apis/rbac/validation.
"""

from collections.abc import Iterator

from kubeslice.lab.apiserver.interfaces import FieldError, Object
from kubeslice.lab.apiserver.schema.complaints import child, forbidden, invalid, not_supported, required
from kubeslice.lab.apiserver.schema.rules import meta, names

GROUP = "rbac.authorization.k8s.io"


def check_role(obj: Object, _old: Object | None, *, namespaced: bool) -> list[FieldError]:
    """Check a Role or ClusterRole."""
    found: list[FieldError] = []
    for index, rule in enumerate(obj.get("rules") or []):
        found.extend(_check_rule(rule, f"rules[{index}]", namespaced=namespaced))
    aggregation = obj.get("aggregationRule")
    if aggregation is not None:
        selectors = aggregation.get("clusterRoleSelectors") or []
        if not selectors:
            found.append(
                required(
                    "aggregationRule.clusterRoleSelectors",
                    "at least one clusterRoleSelector required if aggregationRule is non-nil",
                )
            )
        for index, selector in enumerate(selectors):
            found.extend(meta.check_selector(selector, f"aggregationRule.clusterRoleSelectors[{index}]"))
    return found


def _check_rule(rule: Object, path: str, *, namespaced: bool) -> Iterator[FieldError]:
    if not rule.get("verbs"):
        yield required(child(path, "verbs"), "verbs must contain at least one value")
    urls = rule.get("nonResourceURLs") or []
    resources = rule.get("resources") or []
    if urls:
        where = child(path, "nonResourceURLs")
        if namespaced:
            yield invalid(where, urls, "namespaced rules cannot apply to non-resource URLs")
        if rule.get("apiGroups") or resources or rule.get("resourceNames"):
            yield invalid(where, urls, "rules cannot apply to both regular resources and non-resource URLs")
        return
    if not rule.get("apiGroups"):
        yield required(child(path, "apiGroups"), "resource rules must supply at least one api group")
    if not resources:
        yield required(child(path, "resources"), "resource rules must supply at least one resource")


def check_binding(obj: Object, old: Object | None, *, namespaced: bool) -> list[FieldError]:
    """Check a RoleBinding or ClusterRoleBinding."""
    reference = obj.get("roleRef") or {}
    found: list[FieldError] = []
    if reference.get("apiGroup") != GROUP:
        found.append(not_supported("roleRef.apiGroup", reference.get("apiGroup") or "", (GROUP,)))
    kinds = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)
    if reference.get("kind") not in kinds:
        found.append(not_supported("roleRef.kind", reference.get("kind") or "", kinds))
    if not reference.get("name"):
        found.append(required("roleRef.name"))
    else:
        found.extend(invalid("roleRef.name", reference["name"], why) for why in names.path_segment(reference["name"]))
    for index, subject in enumerate(obj.get("subjects") or []):
        found.extend(_check_subject(subject, f"subjects[{index}]", namespaced=namespaced))
    if old is not None and reference != old.get("roleRef"):
        found.append(invalid("roleRef", reference, "cannot change roleRef"))
    return found


def _check_subject(subject: Object, path: str, *, namespaced: bool) -> Iterator[FieldError]:
    if not subject.get("name"):
        yield required(child(path, "name"))
    kind, group = subject.get("kind") or "", subject.get("apiGroup") or ""
    if kind == "ServiceAccount":
        for why in names.dns_subdomain(subject["name"]) if subject.get("name") else ():
            yield invalid(child(path, "name"), subject["name"], why)
        if group:
            yield not_supported(child(path, "apiGroup"), group, ("",))
        if not subject.get("namespace") and not namespaced:
            yield required(child(path, "namespace"))
    elif kind in ("User", "Group"):
        if group != GROUP:
            yield not_supported(child(path, "apiGroup"), group, (GROUP,))
        if subject.get("namespace"):
            yield forbidden(child(path, "namespace"), f"cannot be set for {kind} subjects")
    else:
        yield not_supported(child(path, "kind"), kind, ("ServiceAccount", "User", "Group"))
