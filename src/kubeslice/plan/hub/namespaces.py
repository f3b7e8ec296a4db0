"""Which namespaces of which clusters a slice means. Called by the hub and by the checks of SliceConfig."""

from collections.abc import Iterable, Sequence

from kubeslice.model.sliceconfig import NamespaceSelection, SliceConfigSpec

EVERY_CLUSTER = "*"
SYSTEM_NAMESPACES = frozenset(
    {"kube-system", "kube-public", "kube-node-lease", "kubeslice-system", "kubeslice-controller"}
)


def in_cluster(selections: Iterable[NamespaceSelection], cluster: str) -> list[str]:
    """Return the namespaces that are meant in one cluster, sorted."""
    return sorted({entry.namespace for entry in selections if {cluster, EVERY_CLUSTER} & set(entry.clusters)})


def application(spec: SliceConfigSpec) -> Sequence[NamespaceSelection]:
    """Return the selections of namespaces whose pods join."""
    return spec.namespace_isolation_profile.application_namespaces if spec.namespace_isolation_profile else ()


def allowed(spec: SliceConfigSpec) -> Sequence[NamespaceSelection]:
    """Return the selections of further namespaces that are let in."""
    return spec.namespace_isolation_profile.allowed_namespaces if spec.namespace_isolation_profile else ()


def claims(spec: SliceConfigSpec) -> dict[str, set[str]]:
    """Return what a slice claims for itself: the clusters in which it means each of its namespaces."""
    claimed: dict[str, set[str]] = {}
    for entry in application(spec):
        claimed.setdefault(entry.namespace, set()).update(meant_clusters(entry, spec))
    return claimed


def meant_clusters(entry: NamespaceSelection, spec: SliceConfigSpec) -> set[str]:
    """Return the member clusters in which a namespace is meant."""
    return set(spec.clusters) if EVERY_CLUSTER in entry.clusters else set(spec.clusters) & set(entry.clusters)
