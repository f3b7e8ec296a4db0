"""CustomResourceDefinitions: defaults, and the status that says whether one is served."""

from collections.abc import Iterable
from typing import Any

from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.types.strategy import Strategy

CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
RESOURCE = "apiextensions.k8s.io/customresourcedefinitions"


def _default(definition: Object) -> None:
    spec = definition.setdefault("spec", {})
    names = spec.setdefault("names", {})
    kind = names.get("kind", "")
    if not names.get("singular"):
        names["singular"] = kind.lower()
    if not names.get("listKind") and kind:
        names["listKind"] = f"{kind}List"
    spec.setdefault("conversion", {"strategy": "None"})


def _prepare(definition: Object, old: Object | None) -> None:
    if old is None:
        stored = [one["name"] for one in definition["spec"].get("versions") or [] if one.get("storage")]
        definition["status"] = {
            "conditions": None,
            "acceptedNames": {"plural": "", "kind": ""},
            "storedVersions": stored,
        }
        return
    stored = definition.setdefault("status", {}).setdefault("storedVersions", [])
    for version in definition["spec"].get("versions") or []:
        if version.get("storage") and version["name"] not in stored:
            stored.append(version["name"])


DEFINITIONS = Strategy(default=_default, prepare=_prepare, unconditional_update=False)


def condition(definition: Object, kind: str) -> str:
    """Return the status of a condition of a definition, `Unknown` where it has none."""
    conditions = definition.get("status", {}).get("conditions") or []
    return next((str(one["status"]) for one in conditions if one.get("type") == kind), "Unknown")


def is_established(definition: Object) -> bool:
    """Whether the resource of a definition is served."""
    return condition(definition, "Established") == "True"


def established_status(definition: Object, others: Iterable[Object], now: str) -> Object | None:
    """Return the status a definition should have beside the others of its group; None when it has it already."""
    names = definition["spec"]["names"]
    mine = definition["metadata"]["name"]
    taken = {word for one in others if one["metadata"]["name"] != mine for word in _words(one)}
    clash = next((word for word in _wanted(names) if word in taken), None)
    status: Object = dict(definition.get("status") or {})
    if clash is None:
        conditions = [
            _condition("NamesAccepted", "True", "NoConflicts", "no conflicts found"),
            _condition("Established", "True", "InitialNamesAccepted", "the initial names have been accepted"),
        ]
        status["acceptedNames"] = dict(names)
    else:
        message = f'"{clash}" is already in use'
        conditions = [
            _condition("NamesAccepted", "False", "NameConflict", message),
            _condition(
                "Established", condition(definition, "Established"), "NotAccepted", "not all names are accepted"
            ),
        ]
        if conditions[1]["status"] == "Unknown":
            conditions[1]["status"] = "False"
    status["conditions"] = _settled(status.get("conditions") or [], conditions, now)
    return None if status == definition.get("status") else status


def terminating_status(definition: Object, now: str) -> Object | None:
    """Return the status of a definition whose objects are being deleted; None when it has it already."""
    if condition(definition, "Terminating") == "True":
        return None
    message = "CustomResource deletion is in progress"
    fresh = [_condition("Terminating", "True", "InstanceDeletionInProgress", message)]
    status: Object = dict(definition.get("status") or {})
    return status | {"conditions": _settled(status.get("conditions") or [], fresh, now)}


def _wanted(names: Object) -> list[str]:
    words = [names["plural"], names.get("singular", ""), names["kind"], names.get("listKind", "")]
    return [word for word in words + list(names.get("shortNames") or []) if word]


def _words(definition: Object) -> list[str]:
    names = definition.get("status", {}).get("acceptedNames") or {}
    return _wanted({"plural": "", "kind": ""} | names)


def _condition(kind: str, status: str, reason: str, message: str) -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def _settled(old: list[Object], new: list[Object], now: str) -> list[Object]:
    """Return the conditions with transition times: kept where the status did not change."""
    times = {(one["type"], one["status"]): one.get("lastTransitionTime", now) for one in old}
    renewed = {one["type"] for one in new}
    dated = [{"lastTransitionTime": times.get((one["type"], one["status"]), now)} | one for one in new]
    return [one for one in old if one["type"] not in renewed] + dated
