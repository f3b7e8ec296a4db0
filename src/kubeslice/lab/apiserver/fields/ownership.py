"""How writes move the ownership of fields: updates take what they change, applies own what they say.

Pure. Follows structured-merge-diff's `Updater` and kube-apiserver's field manager.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubeslice.lab.apiserver.fields import managers, sets
from kubeslice.lab.apiserver.fields.compare import Comparison, compare, field_set
from kubeslice.lab.apiserver.fields.managers import Holding, Manager
from kubeslice.lab.apiserver.fields.merge import merge, remove
from kubeslice.lab.apiserver.fields.sets import FieldSet
from kubeslice.lab.apiserver.fields.shapes import Shape
from kubeslice.lab.apiserver.interfaces import Object

_SERVER_OWNED = (
    "name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields", "resourceVersion",
    "deletionTimestamp", "deletionGracePeriodSeconds",
)  # fmt: skip
STRIPPED: FieldSet = {
    "f:apiVersion": {},
    "f:kind": {},
    "f:metadata": {".": {}} | {f"f:{name}": {} for name in _SERVER_OWNED},
}
_POD_SPEC: Mapping[str, Any] = {"containers": None}
_NEVER_ABSENT: Mapping[str, Any] = {
    "metadata": {},
    "spec": {
        "template": {"metadata": {}, "spec": _POD_SPEC},
        "strategy": {},
        "updateStrategy": {},
        "names": {},
        **_POD_SPEC,
    },
    "status": {},
}
BEFORE_FIRST_APPLY = "before-first-apply"


@dataclass(frozen=True, slots=True)
class Conflict:
    """An applied path that another manager owns."""

    manager: Manager
    path: tuple[str, ...]


class ApplyConflicts(Exception):
    """The apply would change fields of other managers."""

    def __init__(self, conflicts: list[Conflict]) -> None:
        super().__init__(f"{len(conflicts)} conflicts")
        self.conflicts = conflicts


def _bare(obj: Object) -> Object:
    """Return an object without what is never owned, sharing everything else."""
    metadata = {name: value for name, value in obj.get("metadata", {}).items() if name not in _SERVER_OWNED}
    body = {name: value for name, value in obj.items() if name not in ("apiVersion", "kind", "metadata")}
    return body | {"metadata": metadata}


def updated(
    old: Object, new: Object, shape: Shape, manager: Manager, api_version: str, now: str, ignored: FieldSet
) -> dict[Manager, Holding]:
    """Return who owns what after `manager` turned `old` into `new`; `ignored` fields cannot be owned by this write."""
    owners = _held_before(old, new)
    difference = compare(_bare(old), _bare(new), shape)
    owners = _yield_to(owners, difference, frozenset())
    gained = sets.union(difference.modified, difference.added)
    gained = sets.without_subtrees(_strip(gained), ignored)
    if gained:
        previous = owners.get(manager)
        fields = sets.union(gained, previous.fields) if previous else gained
        owners[manager] = Holding(fields, api_version, now)
    return owners


def blank(new: Object, *, typed: bool) -> Object:
    """Return what a new object is compared with: in `typed` objects the parts that are never absent are not new."""
    return _blanked(_NEVER_ABSENT, new) if typed else {"metadata": {}}


def _blanked(never_absent: Mapping[str, Any], new: Object) -> Object:
    return {
        name: None if below is None else _blanked(below, new[name])
        for name, below in never_absent.items()
        if isinstance(new.get(name), (dict, list))
    }


def _held_before(old: Object, new: Object) -> dict[Manager, Holding]:
    """Return the owners a write starts from: the client's own list where it sent a readable one."""
    sent = managers.read(new)
    if new.get("metadata", {}).get("managedFields") in ([], [{}]):
        return {}
    kept = managers.read(old)
    return dict(sent if sent is not None else kept or {})


def _strip(fields: FieldSet) -> FieldSet:
    return sets.difference(fields, STRIPPED)


def _yield_to(
    owners: Mapping[Manager, Holding], difference: Comparison, spared: frozenset[Manager]
) -> dict[Manager, Holding]:
    """Take from all managers but the spared ones what somebody else changed or removed."""
    taken = sets.union(difference.modified, sets.union(difference.added, difference.removed))
    if not taken:
        return dict(owners)
    result = {}
    for manager, holding in owners.items():
        fields = holding.fields if manager in spared else sets.difference(holding.fields, taken)
        if fields:
            result[manager] = holding.with_fields(fields)
    return result


def applied(
    live: Object,
    config: Object,
    shape: Shape,
    manager: Manager,
    api_version: str,
    now: str,
    ignored: FieldSet,
    *,
    force: bool,
) -> tuple[Object, dict[Manager, Holding]]:
    """Apply a configuration: return the object that results and who owns what in it.

    Raises `ApplyConflicts` unless forced.
    """
    owners = _adopted(live, managers.read(live) or {}, shape)
    claimed = sets.without_subtrees(_strip(field_set(_bare(config), shape)), ignored)
    before = owners.get(manager)
    merged = merge(_bare(live), _bare(config), shape)
    owners[manager] = _restated(before, claimed, api_version, now)
    if before is not None:
        merged = remove(merged, _abandoned(before.fields, owners), shape)
    difference = compare(_bare(live), merged, shape)
    _check(owners, manager, difference, force=force)
    owners = _yield_to(owners, difference, frozenset({manager}))
    return _dressed(live, config, merged), owners


def _restated(before: Holding | None, claimed: FieldSet, api_version: str, now: str) -> Holding:
    same = before is not None and before.fields == claimed and before.api_version == api_version
    return Holding(claimed, api_version, before.time if before is not None and same else now)


def _adopted(live: Object, owners: dict[Manager, Holding], shape: Shape) -> dict[Manager, Holding]:
    """Give the fields of an object that nobody tracked so far to a manager of their own."""
    if owners or not live.get("metadata", {}).get("resourceVersion"):
        return owners
    version = live.get("apiVersion", "")
    fields = _strip(field_set(_bare(live), shape))
    time = live["metadata"].get("creationTimestamp", "")
    return {managers.manager_of(BEFORE_FIRST_APPLY, "Update", version): Holding(fields, version, time)}


def _abandoned(last: FieldSet, owners: Mapping[Manager, Holding]) -> FieldSet:
    """Return what the applier no longer says and nobody else owns."""
    held: FieldSet = {}
    for holding in owners.values():
        held = sets.union(held, holding.fields)
    return sets.difference(sets.with_parents(last), sets.with_parents(held))


def _check(owners: Mapping[Manager, Holding], applier: Manager, difference: Comparison, *, force: bool) -> None:
    changed = sets.union(difference.modified, difference.added)
    conflicts = [
        Conflict(manager, path)
        for manager, holding in sorted(owners.items())
        if manager != applier
        for path in sets.paths(sets.intersection(holding.fields, changed))
    ]
    if conflicts and not force:
        raise ApplyConflicts(conflicts)


def _dressed(live: Object, config: Object, merged: Object) -> Object:
    """Put back what `_bare` took off."""
    server_owned = {name: value for name, value in live.get("metadata", {}).items() if name in _SERVER_OWNED}
    named = {name: value for name, value in config.get("metadata", {}).items() if name in ("name", "namespace", "uid")}
    if "resourceVersion" in config.get("metadata", {}):
        named["resourceVersion"] = config["metadata"]["resourceVersion"]
    metadata = merged.get("metadata") or {}
    head = {"apiVersion": config["apiVersion"], "kind": config["kind"]}
    return (
        head
        | {"metadata": {**server_owned, **named, **metadata}}
        | {k: v for k, v in merged.items() if k != "metadata"}
    )
