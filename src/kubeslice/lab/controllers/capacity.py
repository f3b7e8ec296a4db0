"""How much a pod asks for and how much a node has. Pure.

Quantities are read as k8s.io/apimachinery/pkg/api/resource writes them.
"""

from collections.abc import Iterable
from decimal import Decimal

from kubeslice.kube import objects
from kubeslice.kube.api import Object

RESOURCES = ("cpu", "memory")
SUFFIXES = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"),
    "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12), "P": Decimal(10**15),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50),
}  # fmt: skip


def quantity(text: str | float) -> Decimal:
    """Read a quantity such as `100m`, `64Mi` or `2`. Raises decimal.InvalidOperation."""
    value = str(text)
    for suffix in (value[-2:], value[-1:]):
        if suffix in SUFFIXES:
            return Decimal(value[: -len(suffix)]) * SUFFIXES[suffix]
    return Decimal(value)


def requested(pod: Object, resource: str) -> Decimal:
    """Return what a pod requests: the sum of its containers, or its greediest init container when that is more."""
    spec = objects.spec(pod)
    running = [_request(container, resource) for container in spec.get("containers") or []]
    starting = [_request(container, resource) for container in spec.get("initContainers") or []]
    return max(sum(running, Decimal(0)), *starting, Decimal(0))


def lacking(pod: Object, node: Object, neighbours: Iterable[Object]) -> str:
    """Say which resource of `node` is too small for `pod` beside `neighbours`, or ""."""
    allocatable = objects.status(node).get("allocatable") or {}
    present = list(neighbours)
    if "pods" in allocatable and len(present) >= quantity(allocatable["pods"]):
        return "Too many pods"
    for resource in RESOURCES:
        wanted = requested(pod, resource)
        if not wanted or resource not in allocatable:
            continue
        used = sum((requested(neighbour, resource) for neighbour in present), Decimal(0))
        if used + wanted > quantity(allocatable[resource]):
            return f"Insufficient {resource}"
    return ""


def host_ports(pod: Object) -> set[tuple[str, int]]:
    """Return the ports of the node that a pod takes, as (protocol, port)."""
    return {
        (str(port.get("protocol") or "TCP"), int(port["hostPort"]))
        for container in objects.spec(pod).get("containers") or []
        for port in container.get("ports") or []
        if port.get("hostPort")
    }


def _request(container: Object, resource: str) -> Decimal:
    return quantity(((container.get("resources") or {}).get("requests") or {}).get(resource, 0))
