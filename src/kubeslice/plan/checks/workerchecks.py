"""What RBAC cannot keep workers from, called by `validation`.

Of the objects that the hub made for it a worker changes finalizers and status, nothing else: finalizers are part of the
object, and the hub puts back what got past. And nobody gets a token for a worker that outlives those which it is meant
to renew: who stole one could make himself another for years.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubeslice.plan.problems import Problem
from kubeslice.plan.tenants import joining

_WORKER = re.compile(r"system:serviceaccount:kubeslice-[^:]+:kubeslice-rbac-worker-[^:]+")
# What the API server counts and keeps, and what a worker may change.
_FREE = frozenset({"finalizers", "resourceVersion", "generation", "managedFields"})


def worker_update(user: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Problem]:
    """Check what a user changed of an object that the hub made for a worker; everybody else may."""
    if not _WORKER.fullmatch(user):
        return []
    return [
        Problem(field, "a worker changes nothing of this object but its finalizers and its status; the hub writes it")
        for field in _changed(old, new)
    ]


def worker_token(wanted: int, seconds: int) -> list[Problem]:
    """Check for how long a worker's token is asked for, where credentials of workers live `seconds`."""
    longest = max(seconds, int(joining.LONGEST.total_seconds()))
    if wanted <= longest:
        return []
    return [
        Problem(
            "spec.expirationSeconds",
            f"{wanted} is longer than the {longest} s that a credential of a worker lives at most: ask for less, the "
            "worker renews it",
        )
    ]


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if old.get("spec") != new.get("spec"):
        yield "spec"
    before, after = old.get("metadata") or {}, new.get("metadata") or {}
    for key in sorted((before.keys() | after.keys()) - _FREE):
        if before.get(key) != after.get(key):
            yield f"metadata.{key}"
