"""What stands in the way of a deletion: the objects that still need what is to go. Called by the hub's webhook.

What was deleted all the same, while no webhook was there, is held by finalizers: the hub waits for the same objects
and says so.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from kubeslice.model import names
from kubeslice.model.sliceconfig import SliceConfigSpec
from kubeslice.plan.hub import namespaces
from kubeslice.plan.problems import Problem, listing


def project(name: str, slices: Sequence[str]) -> Iterator[Problem]:
    """Yield why a project cannot be deleted; `slices` are its slices, apart from the default one."""
    if slices:
        yield Problem(
            "deletion", f"project {name} still has slices {listing(slices)}: delete those first", reason="InUse"
        )


def namespace(name: str, project: str, cluster: str, *, has_owner: bool) -> Iterator[Problem]:
    """Yield why a namespace of the hub cannot be deleted: it is that of a project, or of its `cluster`, that stays."""
    if not has_owner:
        return
    if cluster:
        yield Problem(
            "deletion",
            f"namespace {name} holds all that the worker of cluster {cluster} goes by: delete Cluster {cluster} in "
            f"{names.project_namespace(project)} instead, and the namespace goes when its worker has cleaned up",
            reason="InUse",
        )
        return
    yield Problem(
        "deletion",
        f"namespace {name} holds the credentials of all workers of project {project}: delete Project {project} in "
        f"{names.HUB_NAMESPACE} instead, and the namespace goes when its workers have cleaned up",
        reason="InUse",
    )


def cluster(name: str, slices: Sequence[str]) -> Iterator[Problem]:
    """Yield why a cluster cannot be deleted; `slices` are those that name it as a member."""
    if slices:
        yield Problem(
            "deletion",
            f"cluster {name} is still in spec.clusters of slices {listing(slices)}: take it out of them first",
            reason="InUse",
        )


def qos_profile(name: str, slices: Sequence[str]) -> Iterator[Problem]:
    """Yield why a QoS profile cannot be deleted; `slices` are those that name it."""
    if slices:
        yield Problem(
            "deletion",
            f"profile {name} is still named by slices {listing(slices)}: name another one there first",
            reason="InUse",
        )


def slice_config(name: str, spec: SliceConfigSpec, exports: Sequence[str]) -> Iterator[Problem]:
    """Yield why a slice cannot be deleted; `exports` are the services on it, as "service.namespace (cluster)"."""
    onboarded = [entry.namespace for entry in namespaces.application(spec)]
    if onboarded:
        yield Problem(
            "deletion",
            f"slice {name} still holds the namespaces {listing(onboarded)}: take them out of "
            "spec.namespaceIsolationProfile.applicationNamespaces first, or use `kubeslice slice delete`",
            reason="InUse",
        )
    if exports:
        yield Problem(
            "deletion",
            f"services are still exported on slice {name}: {listing(exports)}: delete these ServiceExports first",
            reason="InUse",
        )


def exported(exports: Iterable[tuple[str, Mapping[str, Any]]], slice_name: str, silent: Collection[str]) -> list[str]:
    """Return the services on a slice as "service.namespace (cluster)", from ServiceExportConfigs and their clusters.

    Those of `silent` clusters do not count: nobody there could take them back.
    """
    return [
        f"{spec.get('serviceName')}.{spec.get('serviceNamespace')} ({cluster})"
        for cluster, obj in exports
        if (spec := obj.get("spec") or {}).get("sliceName") == slice_name
        if not obj["metadata"].get("deletionTimestamp") and cluster not in silent
    ]


def vpn_key_rotation(name: str, *, has_slice: bool) -> Iterator[Problem]:
    """Yield why a VpnKeyRotation cannot be deleted: it remembers the keys of a slice that lives."""
    if has_slice:
        yield Problem(
            "deletion", f"slice {name} lives by the keys it remembers: it goes with the slice", reason="InUse"
        )


def slice_ipam(name: str, *, has_slice: bool) -> Iterator[Problem]:
    """Yield why a SliceIpam cannot be deleted: it remembers which parts of a living slice's subnet rest."""
    if has_slice:
        yield Problem(
            "deletion", f"slice {name} lives by the addresses it remembers: it goes with the slice", reason="InUse"
        )
