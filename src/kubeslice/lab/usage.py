"""What pods count for under a ResourceQuota: pure. Asked by the API server's admission and by the quota controller.

Pods, processors and memory are counted; quotas with scopes and of other resources are stored and not enforced.
Source: k8s.io/kubernetes/pkg/quota/v1/evaluator/core.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from kubeslice.plan import quantities

Object = dict[str, Any]

_POD_COUNTS = ("pods", "count/pods")
# Where a quota says only cpu, it means requests.cpu.
_COMPUTE = {
    "cpu": ("requests", "cpu"),
    "memory": ("requests", "memory"),
    "requests.cpu": ("requests", "cpu"),
    "requests.memory": ("requests", "memory"),
    "limits.cpu": ("limits", "cpu"),
    "limits.memory": ("limits", "memory"),
}


def limits(quota: Object) -> dict[str, str]:
    """Return the limits of a quota that are counted here."""
    spec = quota.get("spec") or {}
    if spec.get("scopes") or spec.get("scopeSelector"):
        return {}
    return {name: str(text) for name, text in (spec.get("hard") or {}).items() if name in (*_POD_COUNTS, *_COMPUTE)}


def of_pod(pod: Object) -> dict[str, int]:
    """Return what one pod counts for: the sum of its containers, or an init container's part when that is more."""
    if (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}:
        return {}
    counted = dict.fromkeys(_POD_COUNTS, 1)
    return counted | {name: _amount(pod, *what) for name, what in _COMPUTE.items()}


def of_all(pods: Iterable[Object]) -> dict[str, int]:
    """Return what several pods count for together."""
    total: Counter[str] = Counter()
    for pod in pods:
        total.update(of_pod(pod))
    return dict(total)


def complaint(quota: Object, used: Mapping[str, int], pod: Object) -> str:
    """Return why a new pod is too much beside what is used, in the words of kube-apiserver; "" when it is not."""
    hard, name = limits(quota), quota["metadata"]["name"]
    if missing := [text for what in sorted(hard) if (text := _unsaid(pod, what))]:
        return f"failed quota: {name}: must specify {'; '.join(missing)}"
    wanted = of_pod(pod)
    above = [
        what for what in sorted(hard) if wanted[what] and used.get(what, 0) + wanted[what] > _parsed(what, hard[what])
    ]
    if not above:
        return ""
    requested, present = ({what: found.get(what, 0) for what in above} for found in (wanted, used))
    limited = ",".join(f"{what}={hard[what]}" for what in above)
    return f"exceeded quota: {name}, requested: {_told(requested)}, used: {_told(present)}, limited: {limited}"


def status(quota: Object, pods: Iterable[Object]) -> Object:
    """Return the status of a quota for the pods of its namespace."""
    hard, used = limits(quota), of_all(pods)
    return {"hard": hard, "used": {name: quantities.render(name, used.get(name, 0)) for name in hard}}


def _amount(pod: Object, section: str, resource: str) -> int:
    spec = pod.get("spec") or {}
    running = sum(_of_container(one, section, resource) for one in spec.get("containers") or [])
    return max([running, *(_of_container(one, section, resource) for one in spec.get("initContainers") or [])])


def _of_container(container: Object, section: str, resource: str) -> int:
    return _parsed(resource, _said(container, section, resource))


def _said(container: Object, section: str, resource: str) -> str:
    resources = container.get("resources") or {}
    # What is limited and does not say what it requests, requests its limit.
    found = (resources.get(section) or {}).get(resource) or (resources.get("limits") or {}).get(resource)
    return str(found or "")


def _unsaid(pod: Object, what: str) -> str:
    if what not in _COMPUTE:
        return ""
    spec = pod.get("spec") or {}
    containers = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    silent = [one["name"] for one in containers if not _said(one, *_COMPUTE[what])]
    return f"{what} for: {','.join(silent)}" if silent else ""


def _parsed(resource: str, text: str) -> int:
    return quantities.parse(resource, text) or 0


def _told(found: Mapping[str, int]) -> str:
    return ",".join(f"{what}={quantities.render(what, amount)}" for what, amount in found.items())
