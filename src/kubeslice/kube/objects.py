"""Reading the metadata every Kubernetes object has, without spelling the path out each time."""

from typing import Any

from kubeslice.kube.api import Object


def name(obj: Object) -> str:
    """Return metadata.name."""
    return str(obj["metadata"]["name"])


def namespace(obj: Object) -> str:
    """Return metadata.namespace, or "" for a cluster-scoped object."""
    return str(obj["metadata"].get("namespace") or "")


def uid(obj: Object) -> str:
    """Return metadata.uid."""
    return str(obj["metadata"].get("uid") or "")


def labels(obj: Object) -> dict[str, str]:
    """Return metadata.labels, or an empty mapping."""
    return obj["metadata"].get("labels") or {}


def annotations(obj: Object) -> dict[str, str]:
    """Return metadata.annotations, or an empty mapping."""
    return obj["metadata"].get("annotations") or {}


def spec(obj: Object) -> dict[str, Any]:
    """Return the spec, or an empty mapping."""
    return obj.get("spec") or {}


def status(obj: Object) -> dict[str, Any]:
    """Return the status, or an empty mapping."""
    return obj.get("status") or {}


def conditions(obj: Object) -> list[dict[str, Any]]:
    """Return status.conditions, or an empty list."""
    return status(obj).get("conditions") or []


def condition(obj: Object, kind: str) -> dict[str, Any] | None:
    """Return the condition of type `kind`, if there is one."""
    return next((entry for entry in conditions(obj) if entry.get("type") == kind), None)


def is_true(obj: Object, kind: str) -> bool:
    """Tell whether the condition of type `kind` has status True."""
    found = condition(obj, kind)
    return found is not None and found.get("status") == "True"


def is_deleting(obj: Object) -> bool:
    """Tell whether the object waits for its finalizers."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def finalizers(obj: Object) -> list[str]:
    """Return metadata.finalizers, or an empty list."""
    return obj["metadata"].get("finalizers") or []


def has_finalizer(obj: Object, finalizer: str) -> bool:
    """Tell whether `finalizer` still holds the object."""
    return finalizer in finalizers(obj)


def reference(obj: Object, *, controller: bool = True) -> dict[str, Any]:
    """Return an owner reference to `obj`, for metadata.ownerReferences of its dependents."""
    return {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "name": name(obj),
        "uid": uid(obj),
        "controller": controller,
        "blockOwnerDeletion": False,
    }
