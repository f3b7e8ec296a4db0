"""Pods from pod templates, and the short hash that tells one template from another. Pure but for the random suffix."""

import hashlib
import json
import random
from collections.abc import Mapping
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
HASH_LABEL = "pod-template-hash"
REVISION_LABEL = "controller-revision-hash"


def fingerprint(value: Any) -> str:
    """Return ten characters, safe in names and labels, that differ when `value` (JSON) differs."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:10])


def generated_name(base: str) -> str:
    """Return `base` and five random characters, as the API server's generateName does."""
    suffix = "".join(random.choices(ALPHABET, k=5))  # noqa: S311 - a name, not a secret
    return f"{base[:57]}-{suffix}"


def pod(owner: Object, name: str, labels: Mapping[str, str] | None = None) -> Object:
    """Return the pod that `owner`'s template describes, under `name`, with extra labels."""
    template = objects.spec(owner)["template"]
    meta = template.get("metadata") or {}
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": objects.namespace(owner),
        "labels": {**(meta.get("labels") or {}), **(labels or {})},
        "ownerReferences": [controller_reference(owner)],
    }
    for key in ("annotations", "finalizers"):
        if meta.get(key):
            metadata[key] = meta[key]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": dict(template["spec"])}


def controller_reference(owner: Object) -> dict[str, Any]:
    """Return the owner reference of a managed object, which blocks a foreground deletion of its owner."""
    return {**objects.reference(owner), "blockOwnerDeletion": True}
