"""What becomes of an object whose owners go: pure decisions of the garbage collector.

Source: pkg/controller/garbagecollector (attemptToDeleteItem, processDeletingDependentsItem, orphanDependents).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from kubeslice.kube import objects
from kubeslice.kube.api import Object

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
Propagation = Literal["Background", "Foreground", "Orphan"]


class Owner(Enum):
    """What is known of the object that an owner reference names."""

    SOLID = "exists"
    ABSENT = "is gone, or another object has its name"
    WAITING = "is being deleted in the foreground and waits for its dependents"


@dataclass(frozen=True)
class Keep:
    """Nothing to do."""


@dataclass(frozen=True)
class Delete:
    """Nobody owns the object any more."""

    propagation: Propagation


@dataclass(frozen=True)
class Unlink:
    """Take these owners off the object, which has others."""

    uids: frozenset[str]


@dataclass(frozen=True)
class Release:
    """Let a deletion that waited go on: take the finalizer off."""

    finalizer: str


@dataclass(frozen=True)
class Cascade:
    """Look at the dependents: they keep a foreground deletion waiting."""


@dataclass(frozen=True)
class Orphan:
    """Take the object off its dependents, then let it go."""


Verdict = Keep | Delete | Unlink | Release | Cascade | Orphan


def judge(obj: Object, owners: Mapping[str, Owner], dependents: Sequence[Object]) -> Verdict:
    """Decide about one object; `owners` says what its references name, by uid."""
    if objects.is_deleting(obj):
        return _judge_leaving(obj, dependents)
    if not owners:
        return Keep()
    lost = frozenset(uid for uid, owner in owners.items() if owner is not Owner.SOLID)
    if len(lost) < len(owners):
        return Unlink(lost) if lost else Keep()
    if dependents and any(owner is Owner.WAITING for owner in owners.values()):
        return Delete("Foreground")
    return Delete(_own_wish(obj))


def is_waiting(obj: Object) -> bool:
    """Tell whether the object is being deleted in the foreground."""
    return objects.is_deleting(obj) and objects.has_finalizer(obj, FOREGROUND)


def references(obj: Object) -> list[dict[str, Any]]:
    """Return metadata.ownerReferences, or an empty list."""
    return obj["metadata"].get("ownerReferences") or []


def without(obj: Object, uids: frozenset[str]) -> list[dict[str, Any]]:
    """Return the owner references but those to `uids`."""
    return [reference for reference in references(obj) if reference["uid"] not in uids]


def _judge_leaving(obj: Object, dependents: Sequence[Object]) -> Verdict:
    if objects.has_finalizer(obj, ORPHAN):
        return Orphan()
    if not objects.has_finalizer(obj, FOREGROUND):
        return Keep()
    return Cascade() if any(_blocks(each, obj) for each in dependents) else Release(FOREGROUND)


def _blocks(dependent: Object, owner: Object) -> bool:
    return any(
        reference.get("blockOwnerDeletion") and reference["uid"] == objects.uid(owner)
        for reference in references(dependent)
    )


def _own_wish(obj: Object) -> Propagation:
    if objects.has_finalizer(obj, ORPHAN):
        return "Orphan"
    return "Foreground" if objects.has_finalizer(obj, FOREGROUND) else "Background"
