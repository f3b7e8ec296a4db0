"""What deleting an object means for it: gone at once, or marked and waited for; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.interfaces import ApiError, FieldError, Object
from kubeslice.lab.apiserver.types.resource import ResourceType

_ORPHAN, _FOREGROUND = "orphan", "foregroundDeletion"
_UNHURRIED = ("/namespaces", "apiextensions.k8s.io/customresourcedefinitions")  # these know no grace periods
_POLICIES = ("Orphan", "Background", "Foreground")


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How a client wants an object deleted."""

    grace: int | None = None
    policy: str = ""
    uid: str = ""
    resource_version: str = ""
    orphans: bool | None = None


def options(query: Mapping[str, str], body: Object) -> DeleteOptions:
    """Read the options of the body, or where there is none of the query. Raises 422 for what makes no sense."""
    source: Mapping[str, Any] = body or query
    preconditions = body.get("preconditions") or {}
    policy, orphans = source.get("propagationPolicy") or "", source.get("orphanDependents")
    if policy and policy not in _POLICIES:
        raise _refused(f'Unsupported value: "{policy}": supported values: "Background", "Foreground", "Orphan"')
    grace = source.get("gracePeriodSeconds")
    return DeleteOptions(
        grace=None if grace is None else int(grace),
        policy=policy,
        uid=preconditions.get("uid") or "",
        resource_version=preconditions.get("resourceVersion") or "",
        orphans=None if orphans is None else orphans in (True, "true", "1"),
    )


def _refused(why: str) -> ApiError:
    error = FieldError("propagationPolicy", "FieldValueNotSupported", why)
    return refusals.invalid("meta.k8s.io", "DeleteOptions", "", [error])


def check_preconditions(obj: Object, type_: ResourceType, wanted: DeleteOptions) -> None:
    """Raise 409 where the object is not the one that the client means."""
    metadata = obj["metadata"]
    for word, expected, found, fate in (
        ("UID", wanted.uid, metadata["uid"], "deleted and then recreated"),
        ("ResourceVersion", wanted.resource_version, metadata["resourceVersion"], "modified"),
    ):
        if expected and expected != found:
            why = f"the {word} in the precondition ({expected}) does not match the {word} in record ({found})."
            raise refusals.conflict(
                type_.group, type_.kind, metadata["name"], f"{why} The object might have been {fate}"
            )


def marked(obj: Object, type_: ResourceType, wanted: DeleteOptions, now: datetime) -> Object | None:
    """Return the object as it waits for its end; None when nothing keeps it."""
    result: Object = orjson.loads(orjson.dumps(obj))
    metadata = result["metadata"]
    _set_finalizers(metadata, type_, wanted)
    grace = _grace(result, type_, wanted)
    if not metadata.get("finalizers") and not grace and not _has_content(result, type_):
        return None
    _stamp(metadata, grace, now)
    if type_.storage in _UNHURRIED:
        metadata.pop("deletionGracePeriodSeconds", None)
    if type_.storage == "/namespaces":
        result.setdefault("status", {})["phase"] = "Terminating"
    return result


def ended(obj: Object, type_: ResourceType, now: datetime) -> Object | None:
    """Return the last state of an object that nothing keeps, where it differs from the present one."""
    if not type_.strategy.graceful:
        return None
    result: Object = orjson.loads(orjson.dumps(obj))
    _stamp(result["metadata"], 0, now)
    return result


def _stamp(metadata: Object, grace: int, now: datetime) -> None:
    """Write down when the end is due; a second deletion may only bring it nearer."""
    before = metadata.get("deletionGracePeriodSeconds")
    if "deletionTimestamp" in metadata and (before is None or grace >= before):
        return
    start = now
    if "deletionTimestamp" in metadata and before is not None:
        start = datetime.fromisoformat(metadata["deletionTimestamp"]) - timedelta(seconds=before)
        start = max(start, now - timedelta(seconds=grace))
    elif "generation" in metadata:
        metadata["generation"] += 1
    metadata["deletionTimestamp"] = (start + timedelta(seconds=grace)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata["deletionGracePeriodSeconds"] = grace


def _grace(obj: Object, type_: ResourceType, wanted: DeleteOptions) -> int:
    """Return the seconds that the object is given: only pods that run somewhere get any."""
    if not type_.strategy.graceful:
        return 0
    spec, status = obj.get("spec", {}), obj.get("status", {})
    if not spec.get("nodeName") or status.get("phase") in ("Succeeded", "Failed"):
        return 0
    grace = spec.get("terminationGracePeriodSeconds", 30) if wanted.grace is None else wanted.grace
    grace = max(grace, 1) if grace < 0 else grace
    before = obj["metadata"].get("deletionGracePeriodSeconds")
    return int(grace if before is None else min(grace, before))


def _set_finalizers(metadata: Object, type_: ResourceType, wanted: DeleteOptions) -> None:
    """Add or remove what makes the garbage collector orphan dependents or delete them first."""
    finalizers = list(metadata.get("finalizers") or [])
    policy = wanted.policy or {True: "Orphan", False: "Background", None: ""}[wanted.orphans]
    if not policy:
        kept = next((one for one in finalizers if one in (_ORPHAN, _FOREGROUND)), "")
        policy = {_ORPHAN: "Orphan", _FOREGROUND: "Foreground", "": ""}[kept]
    if not policy and type_.strategy.orphans_by_default:
        policy = "Orphan"
    finalizers = [one for one in finalizers if one not in (_ORPHAN, _FOREGROUND)]
    added = {"Orphan": _ORPHAN, "Foreground": _FOREGROUND}.get(policy)
    if added:
        finalizers.append(added)
    if finalizers:
        metadata["finalizers"] = finalizers
    else:
        metadata.pop("finalizers", None)


def _has_content(obj: Object, type_: ResourceType) -> bool:
    """Whether a namespace still waits for its finalizers to empty it."""
    return type_.storage == "/namespaces" and bool(obj.get("spec", {}).get("finalizers"))


def is_finished(obj: Object, type_: ResourceType) -> bool:
    """Whether an object that is being deleted has nothing left to wait for."""
    metadata = obj["metadata"]
    if "deletionTimestamp" not in metadata or metadata.get("finalizers"):
        return False
    return not metadata.get("deletionGracePeriodSeconds") and not _has_content(obj, type_)


def success(obj: Object, type_: ResourceType) -> Object:
    """Return the Status that tells a client that an object is gone."""
    details: Object = {"name": obj["metadata"]["name"]}
    if type_.group:
        details["group"] = type_.group
    details |= {"kind": type_.plural, "uid": obj["metadata"]["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
