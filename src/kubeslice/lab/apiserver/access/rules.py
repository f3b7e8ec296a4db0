"""One policy rule of a role: what it matches and what it covers. `authz` and `escalation` decide with these.

Source: k8s.io/kubernetes/pkg/apis/rbac/v1/evaluation_helpers.go and component-helpers/auth/rbac/validation.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from kubeslice.lab.apiserver.interfaces import Attributes


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy rule; `*` in a set stands for everything."""

    verbs: frozenset[str]
    groups: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    urls: tuple[str, ...] = ()

    def allows(self, asked: Attributes) -> bool:
        """Tell whether the rule allows what is asked."""
        if not ("*" in self.verbs or asked.verb in self.verbs):
            return False
        if not asked.resource:
            return any(_url_matches(url, asked.path) for url in self.urls)
        return (
            ("*" in self.groups or asked.group in self.groups)
            and self._has_resource(asked.resource, asked.subresource)
            and (not self.names or asked.name in self.names)
        )

    def _has_resource(self, resource: str, subresource: str) -> bool:
        if "*" in self.resources:
            return True
        if not subresource:
            return resource in self.resources
        return f"{resource}/{subresource}" in self.resources or f"*/{subresource}" in self.resources

    def covers(self, single: "Rule") -> bool:
        """Tell whether a rule of one verb, group, resource and name, or one verb and URL, lies within this one."""
        if not ("*" in self.verbs or single.verbs <= self.verbs):
            return False
        if single.urls:
            return all(any(_url_matches(url, each) for url in self.urls) for each in single.urls)
        return (
            ("*" in self.groups or single.groups <= self.groups)
            and self._covers_resources(single.resources)
            and (not self.names or (bool(single.names) and single.names <= self.names))
        )

    def _covers_resources(self, resources: frozenset[str]) -> bool:
        if "*" in self.resources or resources <= self.resources:
            return True
        return all("/" in each and f"*/{each.partition('/')[2]}" in self.resources for each in resources)

    def broken_down(self) -> Iterator["Rule"]:
        """Yield the rule as rules of one verb, group, resource and name, or of one verb and URL."""
        for verb, url in product(sorted(self.verbs), self.urls):
            yield Rule(frozenset((verb,)), urls=(url,))
        names = [frozenset((name,)) for name in sorted(self.names)] or [frozenset[str]()]
        for group, resource, verb, name in product(
            sorted(self.groups), sorted(self.resources), sorted(self.verbs), names
        ):
            yield Rule(frozenset((verb,)), frozenset((group,)), frozenset((resource,)), name)


def parse_rule(rule: dict[str, Any]) -> Rule:
    """Read a rule as roles carry it."""
    return Rule(
        verbs=frozenset(rule.get("verbs") or ()),
        groups=frozenset(rule.get("apiGroups") or ()),
        resources=frozenset(rule.get("resources") or ()),
        names=frozenset(rule.get("resourceNames") or ()),
        urls=tuple(rule.get("nonResourceURLs") or ()),
    )


def _url_matches(pattern: str, path: str) -> bool:
    if pattern in ("*", path):
        return True
    return pattern.endswith("*") and path.startswith(pattern.rstrip("*"))


def uncovered(held: Iterable[Rule], wanted: Iterable[Rule]) -> list[Rule]:
    """Return the smallest parts of `wanted` that no rule of `held` covers."""
    rules = tuple(held)
    return [part for rule in wanted for part in rule.broken_down() if not any(own.covers(part) for own in rules)]
