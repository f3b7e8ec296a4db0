"""The next step of a Deployment: how many replicas each of its ReplicaSets should have now. Pure.

Source: pkg/controller/deployment (rolling.go, recreate.go, sync.go). Each step is small; the events it causes call
for the next one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.lab.controllers import pods, replicas, templates

Sizes = dict[str, int]


@dataclass(frozen=True)
class Limits:
    """Bounds of a rolling update in pods."""

    surge: int
    unavailable: int


def template_hash(deployment: Object) -> str:
    """Return the pod-template-hash of the current template."""
    return templates.fingerprint(objects.spec(deployment)["template"])


def current(deployment: Object, sets: Sequence[Object]) -> Object | None:
    """Return the ReplicaSet of the current template, if it exists."""
    wanted = template_hash(deployment)
    return next((each for each in sets if objects.labels(each).get(templates.HASH_LABEL) == wanted), None)


def limits(deployment: Object) -> Limits:
    """Resolve maxSurge (rounded up) and maxUnavailable (rounded down); they are never both 0."""
    strategy = objects.spec(deployment).get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return Limits(0, replicas.wanted(deployment))
    rolling = strategy.get("rollingUpdate") or {}
    total = replicas.wanted(deployment)
    surge = resolve(rolling.get("maxSurge", "25%"), total, up=True)
    unavailable = resolve(rolling.get("maxUnavailable", "25%"), total, up=False)
    return Limits(surge, unavailable if surge or unavailable else 1)


def resolve(value: int | str, total: int, *, up: bool) -> int:
    """Turn a number or percentage into a number of pods."""
    if isinstance(value, int):
        return value
    if not value.endswith("%"):
        return int(value)
    share = int(value[:-1]) * total / 100
    return math.ceil(share) if up else math.floor(share)


def sizes(deployment: Object, sets: Sequence[Object], owned: Mapping[str, Sequence[Object]]) -> Sizes:
    """Return the wanted replicas by name of ReplicaSet; `owned` holds the pods of each, by its uid."""
    now = current(deployment, sets)
    old = sorted((each for each in sets if each is not now), key=_age)
    if objects.spec(deployment).get("paused"):
        return _scaled(deployment, sets)
    if _is_recreated(deployment):
        return _recreate(deployment, now, old, owned)
    if now is None:
        return {objects.name(each): _size(each) for each in sets}
    grown = _grown(deployment, now, sets)
    if grown != _size(now):
        return {objects.name(now): grown, **{objects.name(each): _size(each) for each in old}}
    return {objects.name(now): grown, **_shrunk(deployment, now, old)}


def may_create(deployment: Object, sets: Sequence[Object], owned: Mapping[str, Sequence[Object]]) -> bool:
    """Tell whether the ReplicaSet of a new template may be made: Recreate waits until the old pods are gone."""
    if objects.spec(deployment).get("paused") and sets:
        return False
    if not _is_recreated(deployment):
        return True
    return _is_clear(sets, owned)


def first_size(deployment: Object, sets: Sequence[Object]) -> int:
    """Return the replicas a new ReplicaSet starts with: as many as the surge allows."""
    total = replicas.wanted(deployment)
    if _is_recreated(deployment):
        return total
    room = total + limits(deployment).surge - sum(map(_size, sets))
    return max(0, min(total, room))


def surplus(deployment: Object, sets: Sequence[Object]) -> list[Object]:
    """Return the empty old ReplicaSets beyond revisionHistoryLimit, oldest first."""
    now = current(deployment, sets)
    limit = objects.spec(deployment).get("revisionHistoryLimit")
    empty = [each for each in sets if each is not now and _is_empty(each)]
    count = len(empty) - (10 if limit is None else int(limit))
    return sorted(empty, key=_age)[: max(0, count)]


def _is_recreated(deployment: Object) -> bool:
    return (objects.spec(deployment).get("strategy") or {}).get("type") == "Recreate"


def _recreate(
    deployment: Object, now: Object | None, old: Sequence[Object], owned: Mapping[str, Sequence[Object]]
) -> Sizes:
    found = {objects.name(each): 0 for each in old}
    if now is not None:
        found[objects.name(now)] = replicas.wanted(deployment) if _is_clear(old, owned) else _size(now)
    return found


def _is_clear(sets: Sequence[Object], owned: Mapping[str, Sequence[Object]]) -> bool:
    is_sized = any(_size(each) or _count(each, "replicas") for each in sets)
    return not is_sized and all(pods.has_ended(pod) for each in sets for pod in owned.get(objects.uid(each), ()))


def _grown(deployment: Object, now: Object, sets: Sequence[Object]) -> int:
    total, size = replicas.wanted(deployment), _size(now)
    if size >= total:
        return total
    room = total + limits(deployment).surge - sum(map(_size, sets))
    return size + max(0, min(total - size, room))


def _shrunk(deployment: Object, now: Object, old: Sequence[Object]) -> Sizes:
    keep = replicas.wanted(deployment) - limits(deployment).unavailable
    left = {objects.name(each): _size(each) for each in old}
    pending = _size(now) - _count(now, "availableReplicas")
    budget = _size(now) + sum(left.values()) - keep - pending
    for each in old:
        unhealthy = max(0, _size(each) - _count(each, "availableReplicas"))
        taken = max(0, min(unhealthy, budget))
        left[objects.name(each)] -= taken
        budget -= taken
    available = _count(now, "availableReplicas") + sum(_count(each, "availableReplicas") for each in old)
    spare = max(0, min(budget, available - keep))
    for each in old:
        taken = max(0, min(left[objects.name(each)], spare))
        left[objects.name(each)] -= taken
        spare -= taken
    return left


def _scaled(deployment: Object, sets: Sequence[Object]) -> Sizes:
    # A paused Deployment still follows spec.replicas, in its youngest ReplicaSet that has pods.
    found = {objects.name(each): _size(each) for each in sets}
    active = [each for each in sorted(sets, key=_age) if _size(each)] or sorted(sets, key=_age)
    if active:
        rest = sum(found.values()) - _size(active[-1])
        found[objects.name(active[-1])] = max(0, replicas.wanted(deployment) - rest)
    return found


def _is_empty(each: Object) -> bool:
    return _size(each) == 0 and _count(each, "replicas") == 0 and not objects.is_deleting(each)


def _size(each: Object) -> int:
    return replicas.wanted(each)


def _count(each: Object, field: str) -> int:
    return int(objects.status(each).get(field) or 0)


def _age(each: Object) -> tuple[Any, str]:
    return pods.parse_time(each["metadata"].get("creationTimestamp") or ""), objects.name(each)
