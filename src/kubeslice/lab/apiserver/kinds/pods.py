"""Pods: defaults, the state they are born in, and the selectors that kubelets use."""

from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.kinds.podspec import all_containers, default_pod_spec, default_requests
from kubeslice.lab.apiserver.types.strategy import Strategy

_COUNTED = ("cpu", "memory")


def _default(pod: Object) -> None:
    spec = pod.setdefault("spec", {})
    default_pod_spec(spec)
    spec.setdefault("enableServiceLinks", True)
    for container in all_containers(spec):
        default_requests(container["resources"])


def _prepare(pod: Object, old: Object | None) -> None:
    if old is None:
        pod["status"] = {"phase": "Pending", "qosClass": quality_of_service(pod["spec"])}


def quality_of_service(spec: Object) -> str:
    """Return the QoS class that requests and limits amount to."""
    resources = [container.get("resources") or {} for container in all_containers(spec)]
    if not any(one.get("requests") or one.get("limits") for one in resources):
        return "BestEffort"
    return "Guaranteed" if all(_is_guaranteed(one) for one in resources) else "Burstable"


def _is_guaranteed(resources: Object) -> bool:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    return all(name in limits and requests.get(name) == limits[name] for name in _COUNTED)


def _selectable(pod: Object) -> dict[str, str]:
    spec, status = pod.get("spec", {}), pod.get("status", {})
    return {
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.restartPolicy": spec.get("restartPolicy", ""),
        "spec.schedulerName": spec.get("schedulerName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "spec.hostNetwork": str(bool(spec.get("hostNetwork"))).lower(),
        "status.phase": status.get("phase", ""),
        "status.podIP": status.get("podIP", ""),
        "status.nominatedNodeName": status.get("nominatedNodeName", ""),
    }


PODS = Strategy(
    default=_default,
    prepare=_prepare,
    selectable=_selectable,
    returns_deleted=True,
    graceful=True,
)
