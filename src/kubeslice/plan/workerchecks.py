"""What a worker may change of the objects that the hub made for it: finalizers and status, nothing else.

Called by `validation`. RBAC cannot say it, because finalizers are part of the object; the hub puts back what got past.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubeslice.plan.problems import Problem

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


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if old.get("spec") != new.get("spec"):
        yield "spec"
    before, after = old.get("metadata") or {}, new.get("metadata") or {}
    for key in sorted((before.keys() | after.keys()) - _FREE):
        if before.get(key) != after.get(key):
            yield f"metadata.{key}"
