"""The default slice of a project: a slice without a network that collects every namespace which is in no other slice.

Called by `hub.defaultslices`, which makes it and keeps it, and by the checks of the hub and its webhook: it gives way
to every other slice and is in nobody's way.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubeslice.model import names
from kubeslice.model.cluster import Cluster
from kubeslice.model.resources import SLICECONFIGS
from kubeslice.model.sliceconfig import MAX_CLUSTERS, MAX_NAMESPACES, SliceConfigSpec
from kubeslice.model.sliceipam import DYNAMIC
from kubeslice.plan.cluster.worker_cluster import HIDDEN_NAMESPACES
from kubeslice.plan.hub import namespaces
from kubeslice.plan.tenants.tenancy import project_labels

Object = dict[str, Any]

FEWEST_PLACES = 8
NEVER = HIDDEN_NAMESPACES | namespaces.SYSTEM_NAMESPACES


def is_default(project: str, name: str) -> bool:
    """Tell whether this is the name of a project's default slice."""
    return name == names.default_slice(project)


def are_rivals(project: str, one: str, other: str) -> bool:
    """Tell whether what one slice has another cannot have: the default slice takes only what nobody else wants."""
    return not is_default(project, one) and not is_default(project, other)


def wanted(project: str, clusters: Iterable[Cluster], others: Mapping[str, SliceConfigSpec]) -> Object:
    """Return the SliceConfig; `clusters` are the project's that are here to stay, `others` its other slices.

    Fields that are not here are the users' own, isolation for example. With more than fits, the first by name count.
    """
    members = sorted(clusters, key=lambda cluster: cluster.metadata.name)[:MAX_CLUSTERS]
    found = _collected(members, names.default_slice(project), others.values())
    selections = [{"namespace": name, "clusters": found[name]} for name in sorted(found)[:MAX_NAMESPACES]]
    return {
        "apiVersion": SLICECONFIGS.api_version,
        "kind": SLICECONFIGS.kind,
        "metadata": {
            "name": names.default_slice(project),
            "namespace": names.project_namespace(project),
            "labels": project_labels(project),
        },
        "spec": {
            "overlayNetworkDeploymentMode": names.NO_NETWORK,
            # Nothing is cut, so that the number of places may grow with the project.
            "sliceIpamType": DYNAMIC,
            "maxClusters": max(FEWEST_PLACES, len(members)),
            "clusters": [cluster.metadata.name for cluster in members],
            "namespaceIsolationProfile": {"applicationNamespaces": selections},
        },
    }


def _collected(members: Sequence[Cluster], own: str, others: Iterable[SliceConfigSpec]) -> dict[str, list[str]]:
    """Return the namespaces of no other slice, each with its clusters."""
    claimed = [namespaces.claims(spec) for spec in others]
    found: dict[str, list[str]] = {}
    for cluster in members:
        name = cluster.metadata.name
        taken = {namespace for claims in claimed for namespace, where in claims.items() if name in where}
        for entry in cluster.status.namespaces:
            # Of a namespace that another slice gives up, the worker says so once it is off it.
            if entry.name not in taken | NEVER and entry.slice_name in ("", own):
                found.setdefault(entry.name, []).append(name)
    return found
