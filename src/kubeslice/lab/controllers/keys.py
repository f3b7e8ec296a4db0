"""From an object to the keys of the workloads it concerns: itself, its manager, those that might adopt it."""

from collections.abc import Iterable

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.informer import Informer
from kubeslice.lab.controllers import claims, pods
from kubeslice.model.ids import Key


def keys_of(obj: Object) -> Iterable[Key]:
    """Return the key of the object itself."""
    return [Key("", objects.namespace(obj), objects.name(obj))]


def keys_of_owner(obj: Object, kind: str) -> list[Key]:
    """Return the key of the managing controller when it is of that kind."""
    reference = pods.owner(obj)
    if reference is None or reference["kind"] != kind:
        return []
    return [Key("", objects.namespace(obj), reference["name"])]


def keys_of_selecting(obj: Object, workloads: Informer) -> list[Key]:
    """Return the workloads that might adopt an object without a manager."""
    if pods.owner(obj) is not None:
        return []
    around = workloads.items(objects.namespace(obj))
    return [key for workload in around if claims.claim(workload, [obj]).adopted for key in keys_of(workload)]
