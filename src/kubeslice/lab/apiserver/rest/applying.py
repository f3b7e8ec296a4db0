"""Server-side apply: the client's intent merged into the object, conflicts told in kube-apiserver's words."""

from collections.abc import Iterable

import orjson

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.fields import managers, ownership, sets
from kubeslice.lab.apiserver.fields.compare import field_set
from kubeslice.lab.apiserver.fields.managers import Manager
from kubeslice.lab.apiserver.fields.ownership import ApplyConflicts, Conflict
from kubeslice.lab.apiserver.interfaces import ApiError, FieldError, Object
from kubeslice.lab.apiserver.rest import bodies, metadata
from kubeslice.lab.apiserver.rest.backend import Call, now
from kubeslice.lab.apiserver.rest.creating import Owners, name_mismatch
from kubeslice.lab.apiserver.rest.updating import Proposal, Transform, ignored_fields

_KUBECTL = "kubectl"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def transform(call: Call, config: Object) -> Transform:
    """Return the step that an apply makes. Raises `ApiError` where the configuration cannot be one."""
    manager = managers.manager_of(_manager(call), "Apply", "", call.path.subresource)
    _check(call, config)
    force = call.query.get("force") in ("true", "1")

    def step(live: Object) -> Proposal:
        obj, owners = _apply(call, live, config, manager, force=force)
        obj = orjson.loads(orjson.dumps(obj))
        return Proposal(bodies.defaulted(call.type, call.type.schema.prune(obj)), owners)

    return step


def _manager(call: Call) -> str:
    name = call.query.get("fieldManager", "")
    if not name:
        error = FieldError("fieldManager", "FieldValueRequired", "Required value: is required for apply patch")
        raise refusals.invalid("meta.k8s.io", "PatchOptions", "", [error])
    return name


def _check(call: Call, config: Object) -> None:
    wanted, found = call.type.gvk, (config.get("apiVersion", ""), config.get("kind", ""))
    if found != (call.type.api_version, wanted.kind):
        group, _, version = found[0].rpartition("/")
        raise refusals.bad_request(f"invalid object type: {group}/{version}, Kind={found[1]}")
    if not isinstance(config.setdefault("metadata", {}), dict):
        raise refusals.bad_request("metadata must be an object")
    if config["metadata"].get("managedFields"):
        raise refusals.bad_request("metadata.managedFields must be nil")
    if config["metadata"].setdefault("name", call.path.name) != call.path.name:
        raise name_mismatch(config, call)
    unknown = call.type.schema.unknown_fields(config)
    if unknown:
        raise _undeclared(call, config["metadata"].get("namespace", ""), unknown)
    metadata.place(config, call.type, call.namespace)


def _undeclared(call: Call, namespace: str, unknown: list[str]) -> ApiError:
    """500: kube-apiserver cannot make a typed object of a configuration with fields that the kind does not have."""
    kind = call.type.gvk
    where = f"({namespace}/{call.path.name}; {kind.group}/{kind.version}, Kind={kind.kind})"
    listed = "\n".join(f".{path}: field not declared in schema" for path in unknown)
    if len(unknown) > 1:
        listed = "errors:\n" + "\n".join(f"  .{path}: field not declared in schema" for path in unknown)
    return ApiError(500, "", f"failed to create typed patch object {where}: {listed}")


def _apply(call: Call, live: Object, config: Object, manager: Manager, *, force: bool) -> tuple[Object, Owners]:
    try:
        obj, owners = _applied(call, live, config, manager, force=force)
    except ApplyConflicts as refused:
        left = refused.conflicts
        if manager.name == _KUBECTL:
            left = _unexplained(call, live, left)
        if left:
            raise conflict_error(left) from refused
        obj, owners = _applied(call, live, config, manager, force=True)
    if manager.name == _KUBECTL and _LAST_APPLIED in (live["metadata"].get("annotations") or {}):
        obj = _with_last_applied(obj, config)
    return obj, owners


def _applied(call: Call, live: Object, config: Object, manager: Manager, *, force: bool) -> tuple[Object, Owners]:
    return ownership.applied(
        live, config, call.type.shape, manager, call.type.api_version, now(), ignored_fields(call), force=force
    )


def _unexplained(call: Call, live: Object, conflicts: Iterable[Conflict]) -> list[Conflict]:
    """Return the conflicts that are not with what the same kubectl user applied on the client's side before."""
    text = (live["metadata"].get("annotations") or {}).get(_LAST_APPLIED)
    if not text:
        return list(conflicts)
    try:
        before = orjson.loads(text)
    except orjson.JSONDecodeError:
        return list(conflicts)
    mine = set(sets.paths(field_set(before, call.type.shape)))
    return [one for one in conflicts if one.path not in mine or not _same(one.path, before, live)]


def _same(path: tuple[str, ...], before: Object, live: Object) -> bool:
    """Whether a value is still what was applied; only plain fields are looked into."""
    one: object = before
    other: object = live
    for element in path:
        if not element.startswith("f:") or not isinstance(one, dict) or not isinstance(other, dict):
            return element[:2] != "f:"
        one, other = one.get(element[2:]), other.get(element[2:])
    return one == other


def _with_last_applied(obj: Object, config: Object) -> Object:
    bare = {name: value for name, value in config.items() if name != "metadata"}
    bare["metadata"] = {name: value for name, value in config["metadata"].items() if name != "annotations"}
    annotations = dict(config["metadata"].get("annotations") or {})
    annotations.pop(_LAST_APPLIED, None)
    bare["metadata"]["annotations"] = annotations
    text = orjson.dumps(bare, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE).decode()
    merged = (obj["metadata"].get("annotations") or {}) | {_LAST_APPLIED: text}
    return obj | {"metadata": obj["metadata"] | {"annotations": merged}}


def conflict_error(conflicts: list[Conflict]) -> ApiError:
    """Write conflicts as kube-apiserver does."""
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f"conflict with {_named(one.manager)}",
            "field": sets.sentence(one.path),
        }
        for one in conflicts
    ]
    return refusals.apply_conflict(causes, _message(conflicts))


def _message(conflicts: list[Conflict]) -> str:
    if len(conflicts) == 1:
        where = sets.sentence(conflicts[0].path)
        return f"Apply failed with 1 conflict: conflict with {_named(conflicts[0].manager)}: {where}"
    by_manager: dict[str, list[str]] = {}
    for one in conflicts:
        by_manager.setdefault(_named(one.manager), []).append(sets.sentence(one.path))
    lines = []
    for manager in sorted(by_manager):
        lines.append(f"conflicts with {manager}:")
        lines += [f"- {path}" for path in by_manager[manager]]
    return f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)


def _named(manager: Manager) -> str:
    part = f' with subresource "{manager.subresource}"' if manager.subresource else ""
    version = f" using {manager.api_version}" if manager.operation == "Update" else ""
    return f'"{manager.name}"{part}{version}'
