"""The metadata that all kinds share: names, labels, annotations, owners, finalizers. Custom kinds are checked here too.

Source: k8s.io/apimachinery/pkg/api/validation/objectmeta.go.
"""

from collections.abc import Iterator
from typing import Any

from kubeslice.lab.apiserver.interfaces import FieldError, Object
from kubeslice.lab.apiserver.schema.complaints import child, duplicate, forbidden, invalid, required, too_long
from kubeslice.lab.apiserver.schema.rules import names

_ANNOTATIONS_LIMIT = 256 * 1024
_STANDARD_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})
_FINALIZER_TEXT = "name is neither a standard finalizer name nor is it fully qualified"


def check(meta: Object, old: Object | None, name_check: names.NameCheck, *, custom: bool = False) -> list[FieldError]:
    """Check an object's metadata; `old` is the stored metadata on updates."""
    found = list(_check_name(meta, name_check))
    found.extend(check_labels(meta.get("labels") or {}, "metadata.labels"))
    found.extend(_check_annotations(meta.get("annotations") or {}))
    found.extend(_check_owners(meta.get("ownerReferences") or []))
    found.extend(_check_finalizers(meta.get("finalizers") or [], custom=custom))
    if old is not None:
        found.extend(_check_update(meta, old))
    return found


def _check_name(meta: Object, name_check: names.NameCheck) -> Iterator[FieldError]:
    name, prefix = meta.get("name") or "", meta.get("generateName") or ""
    if prefix:
        for why in name_check(prefix.rstrip("-") + "a" if prefix.endswith("-") else prefix):
            yield invalid("metadata.generateName", prefix, why)
    if not name:
        yield required("metadata.name", "name or generateName is required")
        return
    for why in name_check(name):
        yield invalid("metadata.name", name, why)


def check_labels(labels: dict[str, str], path: str) -> Iterator[FieldError]:
    """Check the keys and values of labels."""
    for key, value in labels.items():
        for why in names.qualified_name(key):
            yield invalid(path, key, why)
        for why in names.label_value(value):
            yield invalid(path, value, why)


def _check_annotations(annotations: dict[str, str]) -> Iterator[FieldError]:
    for key in annotations:
        for why in names.qualified_name(key.lower()):
            yield invalid("metadata.annotations", key, why)
    if sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items()) > _ANNOTATIONS_LIMIT:
        yield too_long("metadata.annotations", _ANNOTATIONS_LIMIT)


def _check_owners(owners: list[Object]) -> Iterator[FieldError]:
    controller = ""
    path = "metadata.ownerReferences"
    for owner in owners:
        if not (owner.get("apiVersion") or "").rpartition("/")[2]:
            yield invalid(child(path, "apiVersion"), owner.get("apiVersion") or "", "version must not be empty")
        for field in ("kind", "name", "uid"):
            if not owner.get(field):
                yield invalid(child(path, field), "", "must not be empty")
        if owner.get("controller") and controller:
            yield invalid(
                "metadata.ownerReferences",
                owners,
                'Only one reference can have Controller set to true. Found "true" in references for '
                f"{controller} and {owner.get('name')}",
            )
        if owner.get("controller"):
            controller = owner.get("name") or ""


def _check_finalizers(finalizers: list[str], *, custom: bool) -> Iterator[FieldError]:
    for index, finalizer in enumerate(finalizers):
        for why in names.qualified_name(finalizer):
            yield invalid(f"metadata.finalizers[{index}]", finalizer, why)
        if not custom and "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
            yield invalid(f"metadata.finalizers[{index}]", finalizer, _FINALIZER_TEXT)
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        yield invalid("metadata.finalizers", finalizers, "finalizers orphan and foregroundDeletion cannot be both set")


def _check_update(meta: Object, old: Object) -> Iterator[FieldError]:
    for field in ("name", "namespace", "uid"):
        if meta.get(field) and old.get(field) and meta[field] != old[field]:
            yield invalid(f"metadata.{field}", meta[field], "field is immutable")


def check_selector(selector: Any, path: str) -> Iterator[FieldError]:
    """Check a label selector with `matchLabels` and `matchExpressions`."""
    yield from check_labels(selector.get("matchLabels") or {}, child(path, "matchLabels"))
    for index, requirement in enumerate(selector.get("matchExpressions") or []):
        yield from _check_requirement(requirement, f"{path}.matchExpressions[{index}]")


def _check_requirement(requirement: Object, path: str) -> Iterator[FieldError]:
    operator, values = requirement.get("operator") or "", requirement.get("values") or []
    if operator in ("In", "NotIn"):
        if not values:
            yield required(child(path, "values"), "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            yield forbidden(child(path, "values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    else:
        yield invalid(child(path, "operator"), operator, "not a valid selector operator")
    for why in names.qualified_name(requirement.get("key") or ""):
        yield invalid(child(path, "key"), requirement.get("key") or "", why)
    for index, value in enumerate(values):
        for why in names.label_value(value):
            yield invalid(f"{path}.values[{index}]", value, why)


def unique(values: list[str], path: str, field: str) -> Iterator[FieldError]:
    """Refuse the second of two items whose `field` has the same value."""
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value and value in seen:
            yield duplicate(f"{path}[{index}].{field}", value)
        seen.add(value)
