"""Object metadata that the server owns: what a new object gets, what an update may not touch."""

import random
from typing import Any
from uuid import uuid4

import orjson

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.interfaces import FieldError, Object
from kubeslice.lab.apiserver.types.resource import ResourceType

_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5
_PREFIX_LIMIT = 58
_KEPT = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink")
_NOT_SPEC = frozenset({"apiVersion", "kind", "metadata", "status"})


def place(obj: Object, type_: ResourceType, namespace: str) -> None:
    """Put an object into the namespace of the path, in place. Raises 400 where it says another."""
    metadata = obj["metadata"]
    if not type_.namespaced:
        metadata.pop("namespace", None)
        return
    if metadata.setdefault("namespace", namespace) != namespace:
        if metadata["namespace"]:
            raise refusals.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        metadata["namespace"] = namespace


def name_new(obj: Object) -> bool:
    """Make a name where only its beginning is given, in place; return whether it was made."""
    metadata = obj["metadata"]
    prefix = metadata.get("generateName", "")
    if metadata.get("name") or not prefix:
        return False
    metadata["name"] = generated_name(prefix)
    return True


def generated_name(prefix: str) -> str:
    """Return a name that begins with `prefix`."""
    suffix = "".join(random.choices(_SUFFIX_LETTERS, k=_SUFFIX_LENGTH))  # noqa: S311 - a name, not a secret
    return prefix[:_PREFIX_LIMIT] + suffix


def dress_new(obj: Object, type_: ResourceType, now: str) -> None:
    """Give a new object what the server decides, in place."""
    metadata = obj["metadata"]
    for name in ("resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"):
        metadata.pop(name, None)
    metadata["uid"] = str(uuid4())
    metadata["creationTimestamp"] = now
    if type_.has_generation:
        metadata["generation"] = 1


def dress_update(obj: Object, old: Object, type_: ResourceType, *, is_new_generation: bool) -> None:
    """Restore in an update what clients cannot change and move the generation, in place."""
    metadata, before = obj["metadata"], old["metadata"]
    if not metadata.get("uid"):
        metadata["uid"] = before["uid"]
    for name in _KEPT[1:]:
        if name in before:
            metadata[name] = before[name]
        else:
            metadata.pop(name, None)
    if is_new_generation and type_.has_generation and spec_of(obj, type_) != spec_of(old, type_):
        metadata["generation"] = before.get("generation", 0) + 1


def spec_of(obj: Object, type_: ResourceType) -> Object:
    """Return the part of an object whose change is a new generation."""
    left_out = _NOT_SPEC if type_.has_status or not type_.custom else _NOT_SPEC - {"status"}
    return {name: value for name, value in obj.items() if name not in left_out}


def finalizer_errors(obj: Object, old: Object) -> list[FieldError]:
    """Find finalizers that were added to an object that is being deleted."""
    if "deletionTimestamp" not in old["metadata"]:
        return []
    before = set(old["metadata"].get("finalizers") or [])
    new = [one for one in obj["metadata"].get("finalizers") or [] if one not in before]
    if not new:
        return []
    listed = ", ".join(orjson.dumps(one).decode() for one in new)
    why = (
        "Forbidden: no new finalizers can be added if the object is being deleted,"
        f" found new finalizers []string{{{listed}}}"
    )
    return [FieldError("metadata.finalizers", "FieldValueForbidden", why)]


def check_uid(obj: Object, old: Object, type_: ResourceType) -> None:
    """Raise 409 where an update is about another object of the same name."""
    wanted: Any = obj["metadata"].get("uid")
    if wanted and wanted != old["metadata"]["uid"]:
        why = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {old['metadata']['uid']}"
        raise refusals.conflict(type_.group, type_.plural, old["metadata"]["name"], why)
