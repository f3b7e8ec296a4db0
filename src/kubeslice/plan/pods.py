"""What a Pod object says about its place on a slice: readiness, overlay address, role.

Called by the plans of operator and agent; agents cannot afford pydantic, so no kind is imported here.
"""

import json
from typing import Any

from kubeslice.model import names

Object = dict[str, Any]


def is_ready(pod: Object) -> bool:
    """Tell whether the pod takes traffic: Ready, and not on its way out."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(entry.get("type") == "Ready" and entry.get("status") == "True" for entry in conditions)


def is_finished(pod: Object) -> bool:
    """Tell whether the pod has ended for good and keeps nothing but its record."""
    return (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}


def slice_of(pod: Object) -> str:
    """Return the slice that the pod's label names."""
    return str(_labels(pod).get(names.SLICE_LABEL) or "")


def role(pod: Object) -> str:
    """Return the pod's part in its slice: app, router or slicegateway."""
    return str(_labels(pod).get(names.POD_TYPE_LABEL) or "")


def plane(pod: Object) -> int | None:
    """Return the plane of a gateway pod."""
    return _number(pod, names.PLANE_LABEL)


def router(pod: Object) -> int | None:
    """Return the number of a router pod."""
    return _number(pod, names.ROUTER_LABEL)


def overlay_address(pod: Object, slice_name: str) -> str:
    """Return the pod's address on the slice, as its node's agent recorded it, or nothing while it has none."""
    wanted = f"{names.WORKER_NAMESPACE}/{slice_name}"
    for network in _networks(pod):
        if network.get("name") == wanted and network.get("ips"):
            return str(network["ips"][0]).split("/")[0]
    return ""


def on_slice(pods: list[Object], slice_name: str, pod_role: str) -> list[Object]:
    """Return the pods that play one role on a slice and have not ended."""
    return [pod for pod in pods if slice_of(pod) == slice_name and role(pod) == pod_role and not is_finished(pod)]


def _number(pod: Object, label: str) -> int | None:
    text = str(_labels(pod).get(label) or "")
    return int(text) if text.isdecimal() else None


def _labels(pod: Object) -> Object:
    return pod["metadata"].get("labels") or {}


def _networks(pod: Object) -> list[Object]:
    text = (pod["metadata"].get("annotations") or {}).get(names.NETWORK_STATUS_ANNOTATION) or "[]"
    try:
        value = json.loads(text)
    except ValueError:
        return []
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
