"""What the admission webhook answers: reads a review, decides, writes the answer. No clients, no clock.

`webhook` calls it with what its informers hold. A review that cannot be read raises `BadReview`; everything else ends
in an answer, because a webhook that fails must not stop a cluster.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubeslice.model import names
from kubeslice.plan import quantities

Object = dict[str, Any]
Operation = dict[str, Any]

NON_ROOT_USER = 65532


class BadReview(ValueError):
    """The body is not an AdmissionReview of admission.k8s.io/v1; the message says what is wrong with it."""


@dataclass(frozen=True)
class Review:
    """The request of an AdmissionReview. `object` is empty for a deletion, `old` for a creation."""

    uid: str
    group: str
    plural: str
    operation: str
    namespace: str
    name: str
    object: Object = field(default_factory=dict)
    old: Object = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What to answer. A refusal carries problems; `patch` (RFC 6902) and `warnings` go with a permission."""

    problems: Sequence[str] = ()
    patch: Sequence[Operation] = ()
    warnings: Sequence[str] = ()


ALLOWED = Verdict()


def read_review(body: bytes) -> Review:
    """Read the body of a webhook call. Raises `BadReview`."""
    try:
        review = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadReview(f"the body is not JSON: {error}") from error
    request = _mapping(_mapping(review, "the body").get("request"), "request")
    resource = _mapping(request.get("resource"), "request.resource")
    return Review(
        uid=_text(request, "uid", required=True),
        group=_text(resource, "group"),
        plural=_text(resource, "resource", required=True),
        operation=_text(request, "operation", required=True),
        namespace=_text(request, "namespace"),
        name=_text(request, "name"),
        object=_kubernetes_object(request, "object"),
        old=_kubernetes_object(request, "oldObject"),
    )


def answer(review: Review, verdict: Verdict) -> Object:
    """Return the AdmissionReview that tells the API server the verdict."""
    response: Object = {"uid": review.uid, "allowed": not verdict.problems}
    if verdict.problems:
        status = {"code": 422, "reason": "Invalid", "message": "; ".join(verdict.problems)}
        response["status"] = {"status": "Failure", **status}
    elif verdict.patch:
        response["patchType"] = "JSONPatch"
        response["patch"] = base64.b64encode(json.dumps(list(verdict.patch)).encode()).decode()
    if verdict.warnings:
        response["warnings"] = list(verdict.warnings)
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}


def pod_patch(pod: Mapping[str, Any], slice_name: str, image: str) -> list[Operation]:
    """Return what makes a new pod of a slice's namespace wait for its slice interface; nothing when it already does.

    Pods on the host's network and pods that opted out stay as they are.
    """
    labels = (pod.get("metadata") or {}).get("labels") or {}
    spec = pod.get("spec") or {}
    if spec.get("hostNetwork") or labels.get(names.EXCLUDE_LABEL) == "true":
        return []
    return [*_label_operations(pod, slice_name), *_container_operations(spec, image)]


def wait_container(image: str, cpu_limit: str = "") -> Object:
    """Return the init container that ends when `ks0` is up, with the least of everything.

    `cpu_limit` is for pods that have limits: where a ResourceQuota counts them, every container must have one.
    """
    limits = {"memory": "64Mi"} | ({"cpu": cpu_limit} if cpu_limit else {})
    return {
        "name": names.INIT_CONTAINER,
        "image": image,
        "args": ["run", "wait"],
        "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}, "limits": limits},
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": NON_ROOT_USER,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def _label_operations(pod: Mapping[str, Any], slice_name: str) -> list[Operation]:
    labels = (pod.get("metadata") or {}).get("labels")
    wanted = {names.SLICE_LABEL: slice_name, names.POD_TYPE_LABEL: names.APP_POD}
    if labels is None:
        return [{"op": "add", "path": "/metadata/labels", "value": wanted}]
    changes: list[Operation] = [
        {"op": "add", "path": f"/metadata/labels/{_escaped(key)}", "value": value}
        for key, value in wanted.items()
        if labels.get(key) != value
    ]
    if names.OVERLAY_ADDRESS_LABEL in labels:
        # Only the agent says which address a pod has; a copied manifest must not claim somebody else's.
        changes.append({"op": "remove", "path": f"/metadata/labels/{_escaped(names.OVERLAY_ADDRESS_LABEL)}"})
    return changes


def _container_operations(spec: Mapping[str, Any], image: str) -> list[Operation]:
    present, added = spec.get("initContainers"), wait_container(image, _cpu_limit(spec.get("containers") or []))
    if not present:
        return [{"op": "add", "path": "/spec/initContainers", "value": [added]}]
    if any(container.get("name") == names.INIT_CONTAINER for container in present):
        return []
    return [{"op": "add", "path": "/spec/initContainers/0", "value": added}]


def _cpu_limit(containers: Sequence[Mapping[str, Any]]) -> str:
    """Return the largest of the containers' limits, which adds nothing to what the pod counts for; "" without any."""
    limits = [str(((one.get("resources") or {}).get("limits") or {}).get("cpu") or "") for one in containers]
    return max(limits, key=lambda text: quantities.parse("limits.cpu", text) or 0) if limits and all(limits) else ""


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _mapping(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadReview(f"{where} is not an object")
    return value


def _text(holder: Mapping[str, Any], key: str, *, required: bool = False) -> str:
    value = holder.get(key)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value):
        raise BadReview(f"request.{key} is not a text")
    return value


def _kubernetes_object(request: Mapping[str, Any], key: str) -> Object:
    value = request.get(key)
    if value is None:
        return {}
    obj = _mapping(value, f"request.{key}")
    for part in ("metadata", "spec"):
        if obj.get(part) is not None:
            _mapping(obj[part], f"request.{key}.{part}")
    if (obj.get("metadata") or {}).get("labels") is not None:
        _mapping(obj["metadata"]["labels"], f"request.{key}.metadata.labels")
    return obj
