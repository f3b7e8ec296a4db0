"""Which pods of a StatefulSet to create or delete next, in order, and what its status says. Pure.

Source: pkg/controller/statefulset. Pods are always made from the newest template: a partition keeps old pods, it does
not make new old ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.lab.controllers import pods, replicas, templates
from kubeslice.lab.controllers.replicas import min_ready
from kubeslice.lab.controllers.statuses import compact

POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"


@dataclass(frozen=True)
class Change:
    """Ordinals that need a pod and pods that have to go, now; the rest waits for these."""

    create: tuple[int, ...] = ()
    delete: tuple[Object, ...] = ()


def change(workload: Object, owned: Sequence[Object], now: datetime) -> Change:
    """Return the next step: up in ascending order, down and updates in descending order, one at a time."""
    if objects.is_deleting(workload):
        return Change()
    found = {ordinal(each): each for each in owned}
    wanted = ordinals(workload)
    surplus = [found[each] for each in sorted(found, reverse=True) if each not in wanted]
    if objects.spec(workload).get("podManagementPolicy") == "Parallel":
        missing = tuple(number for number in wanted if number not in found)
        ended = [found[number] for number in wanted if number in found and pods.has_ended(found[number])]
        step = Change(missing, (*ended, *surplus))
        return step if step != Change() else _update(workload, found, now)
    growth = _growth(workload, found, wanted, now)
    if growth is not None:
        return growth
    return Change(delete=tuple(surplus[:1])) if surplus else _update(workload, found, now)


def ordinals(workload: Object) -> range:
    """Return the numbers of the wanted pods."""
    start = int((objects.spec(workload).get("ordinals") or {}).get("start") or 0)
    return range(start, start + replicas.wanted(workload))


def ordinal(pod: Object) -> int:
    """Return the number in a pod's name, -1 when it has none."""
    last = objects.name(pod).rpartition("-")[2]
    return int(last) if last.isdecimal() else -1


def pod(workload: Object, number: int) -> Object:
    """Return the pod of that number, with the stable name its headless Service gives an address."""
    name = f"{objects.name(workload)}-{number}"
    labels = {POD_NAME: name, POD_INDEX: str(number), templates.REVISION_LABEL: revision(workload)}
    made = templates.pod(workload, name, labels)
    made["spec"] |= {"hostname": name, "subdomain": str(objects.spec(workload).get("serviceName") or "")}
    return made


def revision(workload: Object) -> str:
    """Return the name of the current template's revision."""
    return f"{objects.name(workload)}-{templates.fingerprint(objects.spec(workload)['template'])}"


def status(workload: Object, owned: Sequence[Object], now: datetime) -> dict[str, Any]:
    """Return the status that the pods add up to."""
    newest = revision(workload)
    updated = sum(_revision_of(each) == newest for each in owned)
    is_complete = updated == len(owned) == replicas.wanted(workload)
    current = newest if is_complete else objects.status(workload).get("currentRevision") or newest
    counts = {
        "readyReplicas": sum(map(pods.is_ready, owned)),
        "currentReplicas": sum(_revision_of(each) == current for each in owned),
        "updatedReplicas": updated,
        "currentRevision": current,
        "updateRevision": newest,
        "observedGeneration": workload["metadata"].get("generation"),
    }
    available = sum(pods.is_available(each, min_ready(workload), now) for each in owned)
    return {"replicas": len(owned), "availableReplicas": available, "collisionCount": 0, **compact(counts)}


def _growth(workload: Object, found: dict[int, Object], wanted: range, now: datetime) -> Change | None:
    """Return what to do about the first wanted pod that is not there and well (maybe nothing); None: all are."""
    for number in wanted:
        each = found.get(number)
        if each is None:
            return Change(create=(number,))
        if pods.has_ended(each):
            return Change(delete=(each,))
        if not _is_well(workload, each, now) and not _is_outdated(workload, each):
            return Change()
    return None


def _update(workload: Object, found: dict[int, Object], now: datetime) -> Change:
    strategy = objects.spec(workload).get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return Change()
    partition = int((strategy.get("rollingUpdate") or {}).get("partition") or 0)
    for number in sorted(found, reverse=True):
        each = found[number]
        if number >= partition and _is_outdated(workload, each):
            return Change(delete=(each,))
        if not _is_well(workload, each, now):
            return Change()
    return Change()


def _is_well(workload: Object, each: Object, now: datetime) -> bool:
    return not objects.is_deleting(each) and pods.is_available(each, min_ready(workload), now)


def _is_outdated(workload: Object, each: Object) -> bool:
    return _revision_of(each) != revision(workload)


def _revision_of(each: Object) -> str:
    return objects.labels(each).get(templates.REVISION_LABEL, "")
