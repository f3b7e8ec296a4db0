"""What a LimitRange gives to containers that do not say what they need, and what it lets them ask for: pure.

Asked by the API server's admission. Only limits of type Container are heeded; those of pods and claims are stored.
Source: k8s.io/kubernetes/plugin/pkg/admission/limitranger, and the defaults of LimitRangeItem in k8s.io/api/core/v1.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from kubeslice.plan import quantities

Object = dict[str, Any]


def fill(limit_range: Object, pod: Object) -> None:
    """Write into the containers of a new pod what they do not say, in place."""
    for item in _items(limit_range):
        limits = {**(item.get("max") or {}), **(item.get("default") or {})}
        requests = {**(item.get("min") or {}), **limits, **(item.get("defaultRequest") or {})}
        for container in _containers(pod):
            resources = container.setdefault("resources", {})
            said = resources.get("limits") or {}
            resources["requests"] = {**requests, **said, **(resources.get("requests") or {})}
            if limits:
                resources["limits"] = {**limits, **said}


def complaint(limit_range: Object, pod: Object) -> str:
    """Return what is more or less than containers may ask for, in the words of kube-apiserver; "" when nothing is."""
    return ", ".join(found for item in _items(limit_range) for one in _containers(pod) for found in _outside(item, one))


def _outside(item: Object, container: Object) -> Iterator[str]:
    resources = container.get("resources") or {}
    for what, least in sorted((item.get("min") or {}).items()):
        said = (resources.get("requests") or {}).get(what)
        if said is None:
            yield f"minimum {what} usage per Container is {least}.  No request is specified"
        elif _amount(what, said) < _amount(what, least):
            yield f"minimum {what} usage per Container is {least}, but request is {said}"
    for what, most in sorted((item.get("max") or {}).items()):
        said = (resources.get("limits") or {}).get(what)
        if said is None:
            yield f"maximum {what} usage per Container is {most}.  No limit is specified"
        elif _amount(what, said) > _amount(what, most):
            yield f"maximum {what} usage per Container is {most}, but limit is {said}"


def _items(limit_range: Object) -> Iterable[Object]:
    return [item for item in (limit_range.get("spec") or {}).get("limits") or [] if item.get("type") == "Container"]


def _containers(pod: Object) -> Iterable[Object]:
    return [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]


def _amount(resource: str, text: object) -> int:
    return quantities.parse(resource, str(text)) or 0
