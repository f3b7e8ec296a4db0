"""What somebody may do, from the rules that the API server names for each namespace. Pure, for `auth explain`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubeslice.kube.api import Object
from kubeslice.model.resources import CONTROLLER_GROUP, NETWORKING_GROUP, WORKER_GROUP

VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
HEADINGS = ("NAMESPACES", "KIND", *(verb.upper() for verb in VERBS), "OTHER", "ONLY")
# What everybody may ask about themselves says nothing about anybody.
_EVERYBODYS = frozenset({"authentication.k8s.io", "authorization.k8s.io"})
_WELL_KNOWN = frozenset({"", CONTROLLER_GROUP, WORKER_GROUP, NETWORKING_GROUP})
_SHOWN = 3


@dataclass(frozen=True, order=True)
class Permission:
    """Verbs on the objects of one kind, or on those of some names only."""

    group: str
    resource: str
    only: tuple[str, ...]
    verbs: frozenset[str]

    @property
    def kind(self) -> str:
        """Return the resource as kubectl writes it, with its group where it is not one of the usual ones."""
        return self.resource if self.group in _WELL_KNOWN else f"{self.resource}.{self.group}"

    def allows(self, verb: str) -> bool:
        """Tell whether a verb is among those allowed."""
        return not self.verbs.isdisjoint((verb, "*"))

    def wire(self, namespaces: Sequence[str]) -> dict[str, Any]:
        """Return what programs are told."""
        return {
            "namespaces": list(namespaces),
            "group": self.group,
            "resource": self.resource,
            "names": list(self.only),
            "verbs": sorted(self.verbs),
        }


Found = Mapping[Permission, Sequence[str]]


def permissions(review: Object) -> list[Permission]:
    """Return what the status of a SelfSubjectRulesReview allows, one for each kind and list of names."""
    verbs: dict[tuple[str, str, tuple[str, ...]], set[str]] = defaultdict(set)
    for rule in (review.get("status") or {}).get("resourceRules") or []:
        only = tuple(sorted(rule.get("resourceNames") or []))
        for group in rule.get("apiGroups") or [""]:
            for resource in rule.get("resources") or []:
                if group not in _EVERYBODYS:
                    verbs[group, resource, only].update(rule["verbs"])
    return sorted(Permission(*key, frozenset(found)) for key, found in verbs.items())


def by_permission(found: Mapping[str, Sequence[Permission]]) -> dict[Permission, list[str]]:
    """Turn what is allowed in each namespace into the namespaces where each thing is allowed."""
    result: dict[Permission, list[str]] = defaultdict(list)
    for namespace in sorted(found):
        for permission in found[namespace]:
            result[permission].append(namespace)
    return dict(sorted(result.items(), key=lambda item: (item[1], item[0].group, item[0].resource, item[0].only)))


def rows(found: Found) -> list[list[str]]:
    """Return the cells of the table."""
    return [_row(permission, namespaces) for permission, namespaces in found.items()]


def _row(permission: Permission, namespaces: Sequence[str]) -> list[str]:
    others = sorted(permission.verbs - set(VERBS))
    answers = ["yes" if permission.allows(verb) else "-" for verb in VERBS]
    return [_listed(namespaces), permission.kind, *answers, ",".join(others) or "-", ", ".join(permission.only) or "-"]


def _listed(found: Sequence[str]) -> str:
    shown = ", ".join(found[:_SHOWN])
    return f"{shown} and {len(found) - _SHOWN} more" if len(found) > _SHOWN else shown
