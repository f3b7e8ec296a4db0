"""By what the hub groups objects: functions from one object to the groups it belongs to, for indexes and keys."""

from collections.abc import Iterator
from typing import NamedTuple

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model import names
from kubeslice.plan.tenants.tenancy import Member


class SliceName(NamedTuple):
    """A slice of a project."""

    project: str
    name: str


class Service(NamedTuple):
    """A service that is exported on a slice of a project."""

    slice: SliceName
    namespace: str
    name: str


def namespace(obj: Object) -> Iterator[str]:
    """Group by namespace."""
    yield objects.namespace(obj)


def owner(obj: Object) -> Iterator[tuple[str, str]]:
    """Group what the hub made for tenants by (project, cluster); cluster is "" for what belongs to the project.

    Secrets of slices are not among them: they come and go with the slices.
    """
    labels = objects.labels(obj)
    if names.ORIGINAL_SLICE_LABEL in labels:
        return
    if labels.get(names.MANAGED_BY_LABEL) == names.HUB_MANAGER and names.PROJECT_LABEL in labels:
        yield labels[names.PROJECT_LABEL], labels.get(names.CLUSTER_LABEL, "")


def member(obj: Object) -> Member | None:
    """Return the cluster whose namespace a worker object says it is in."""
    labels = objects.labels(obj)
    project, cluster = labels.get(names.PROJECT_LABEL), labels.get(names.CLUSTER_LABEL)
    return Member(project, cluster) if project and cluster else None


def slice_name(obj: Object) -> Iterator[SliceName]:
    """Group worker objects by slice."""
    labels = objects.labels(obj)
    project, name = labels.get(names.PROJECT_LABEL), labels.get(names.ORIGINAL_SLICE_LABEL)
    if project and name:
        yield SliceName(project, name)


def slice_and_remote(obj: Object) -> Iterator[tuple[SliceName, str]]:
    """Group WorkerSliceGateways by slice and by the cluster they lead to."""
    for name in slice_name(obj):
        yield name, objects.labels(obj).get(names.REMOTE_CLUSTER_LABEL, "")


def members(obj: Object) -> Iterator[tuple[str, str]]:
    """Group SliceConfigs by (project namespace, member cluster)."""
    for cluster in dict.fromkeys(objects.spec(obj).get("clusters") or []):
        yield objects.namespace(obj), cluster


def exported(obj: Object) -> Iterator[tuple[str, str, str]]:
    """Group ServiceExportConfigs by (slice, namespace, service) as they claim; the project is their namespace's."""
    spec = objects.spec(obj)
    yield spec.get("sliceName") or "", spec.get("serviceNamespace") or "", spec.get("serviceName") or ""


def exported_on(obj: Object) -> Iterator[str]:
    """Group ServiceExportConfigs by the slice they claim."""
    yield objects.spec(obj).get("sliceName") or ""


def imported(obj: Object) -> Iterator[Service]:
    """Group WorkerServiceImports by service."""
    labels = objects.labels(obj)
    for name in slice_name(obj):
        yield Service(name, labels.get(names.SERVICE_NAMESPACE_LABEL, ""), labels.get(names.SERVICE_NAME_LABEL, ""))
