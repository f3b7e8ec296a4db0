"""The answers of access reviews: `kubectl auth can-i` and components that ask the API server about others.

Source: k8s.io/kubernetes/pkg/registry/authorization.
"""

from kubeslice.lab.apiserver.access.rules import Rule
from kubeslice.lab.apiserver.authz import Authorizer
from kubeslice.lab.apiserver.interfaces import Attributes, FieldError, Object, UserInfo
from kubeslice.lab.apiserver.schema.complaints import invalid

_EXCLUSIVE = "exactly one of nonResourceAttributes or resourceAttributes must be specified"


def check_review(spec: Object, *, names_user: bool) -> list[FieldError]:
    """Check the spec of an access review; `names_user` where it asks about somebody."""
    found = []
    if bool(spec.get("resourceAttributes")) == bool(spec.get("nonResourceAttributes")):
        found.append(invalid("spec.resourceAttributes", spec.get("nonResourceAttributes") or {}, _EXCLUSIVE))
    if names_user and not spec.get("user") and not spec.get("groups"):
        found.append(invalid("spec.user", spec.get("user") or "", "at least one of user or group must be specified"))
    return found


def attributes_of(spec: Object) -> Attributes:
    """Read what an access review asks."""
    urls = spec.get("nonResourceAttributes")
    if urls:
        return Attributes(urls.get("verb") or "", path=urls.get("path") or "")
    asked = spec.get("resourceAttributes") or {}
    return Attributes(
        asked.get("verb") or "",
        asked.get("group") or "",
        asked.get("version") or "",
        asked.get("resource") or "",
        asked.get("subresource") or "",
        asked.get("namespace") or "",
        asked.get("name") or "",
    )


def user_of(spec: Object) -> UserInfo:
    """Read about whom a SubjectAccessReview asks."""
    extra = {key.lower(): tuple(values) for key, values in (spec.get("extra") or {}).items()}
    return UserInfo(spec.get("user") or "", tuple(spec.get("groups") or ()), spec.get("uid") or "", extra)


def review_access(authorizer: Authorizer, user: UserInfo, spec: Object) -> Object:
    """Return the status of a SelfSubjectAccessReview or SubjectAccessReview."""
    decision = authorizer.decide(user, attributes_of(spec))
    status: Object = {"allowed": decision.allowed}
    if decision.reason:
        status["reason"] = decision.reason
    return status


def review_rules(authorizer: Authorizer, user: UserInfo, namespace: str) -> Object:
    """Return the status of a SelfSubjectRulesReview."""
    rules = authorizer.rules_for(user, namespace)
    return {
        "resourceRules": [_resource_rule(rule) for rule in rules if not rule.urls],
        "nonResourceRules": [
            {"verbs": sorted(rule.verbs), "nonResourceURLs": list(rule.urls)} for rule in rules if rule.urls
        ],
        "incomplete": False,
    }


def _resource_rule(rule: Rule) -> Object:
    shown: Object = {
        "verbs": sorted(rule.verbs),
        "apiGroups": sorted(rule.groups),
        "resources": sorted(rule.resources),
    }
    if rule.names:
        shown["resourceNames"] = sorted(rule.names)
    return shown
