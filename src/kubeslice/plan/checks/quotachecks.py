"""What can be wrong with a SliceResourceQuota.

Called through `plan.checks.validation` by the hub's webhook and reconciler.
"""

from collections.abc import Iterator, Mapping, Sequence

from kubeslice.model.quotas import Limits
from kubeslice.model.sliceresourcequota import SliceResourceQuotaSpec
from kubeslice.plan import quantities
from kubeslice.plan.hub import quotas
from kubeslice.plan.hub.quotas import BANDWIDTH, EVERY_CLUSTER, SHARED, Amounts
from kubeslice.plan.problems import Problem

TOTAL, CLUSTERS, NAMESPACES = "spec.sliceQuota", "spec.clusterQuota", "spec.namespaceQuota"
Members = Mapping[str, Sequence[str]]


def slice_resource_quota(
    spec: SliceResourceQuotaSpec, slice_name: str, members: Members, ceiling: int | None
) -> list[Problem]:
    """Return what is wrong with the limits of a slice.

    `members` are the slice's clusters with the namespaces it has in each; `ceiling` is the bandwidth ceiling of its QoS
    profile in kbit/s, None when it has none.
    """
    found = [*_quantities(spec), *_places(spec, slice_name, members), *_bandwidth(spec, ceiling)]
    return found or [*_sums(spec, members)]


def _entries(spec: SliceResourceQuotaSpec) -> Iterator[tuple[str, str, Limits]]:
    """Yield field, place and limits of every entry."""
    if spec.slice_quota:
        yield TOTAL, "of the slice", spec.slice_quota
    for cluster in spec.cluster_quota:
        yield CLUSTERS, f"of cluster {cluster.cluster}", cluster
    for namespace in spec.namespace_quota:
        yield NAMESPACES, f"of namespace {namespace.namespace}", namespace


def _quantities(spec: SliceResourceQuotaSpec) -> Iterator[Problem]:
    for field, place, limits in _entries(spec):
        written, found = quotas.texts(limits), quotas.amounts(limits)
        for resource, text in written.items():
            if quantities.parse(resource, text) is None:
                yield Problem(
                    field,
                    f"{text!r} for {resource} {place} is no amount: write one such as 500m, 2 or 4Gi",
                    reason="InvalidQuantity",
                )
        for name in ("cpu", "memory"):
            asked, most = found.get(f"requests.{name}"), found.get(f"limits.{name}")
            if asked is not None and most is not None and asked > most:
                yield Problem(
                    field,
                    f"requests.{name} is {written[f'requests.{name}']} {place}, above limits.{name}, which is "
                    f"{written[f'limits.{name}']}: lower the first or raise the second",
                    reason="RequestsAboveLimits",
                )


def _places(spec: SliceResourceQuotaSpec, slice_name: str, members: Members) -> Iterator[Problem]:
    named = [(CLUSTERS, entry.cluster) for entry in spec.cluster_quota]
    named += [(NAMESPACES, cluster) for entry in spec.namespace_quota for cluster in entry.clusters]
    for field, cluster in dict.fromkeys(named):
        if cluster != EVERY_CLUSTER and cluster not in members:
            yield Problem(
                field,
                f"{cluster} is no member of slice {slice_name}: name one of {', '.join(members) or 'its members'}",
                reason="UnknownCluster",
            )
    known = {namespace for found in members.values() for namespace in found}
    for entry in spec.namespace_quota:
        if entry.namespace not in known:
            yield Problem(
                NAMESPACES,
                f"namespace {entry.namespace} is not on slice {slice_name}: add it to its applicationNamespaces, or "
                "take the entry out",
                reason="UnknownNamespace",
            )


def _bandwidth(spec: SliceResourceQuotaSpec, ceiling: int | None) -> Iterator[Problem]:
    for field, place, limits in _entries(spec):
        wanted = quotas.amounts(limits).get(BANDWIDTH)
        if ceiling is not None and wanted is not None and wanted > ceiling:
            yield Problem(
                field,
                f"bandwidthCeilingKbps is {wanted} {place}, above the {ceiling} of the slice's QoS profile: lower it, "
                "or raise bandwidthCeilingKbps of the profile",
                reason="BandwidthAboveProfile",
            )


def _sums(spec: SliceResourceQuotaSpec, members: Members) -> Iterator[Problem]:
    # Shared out without the total, every cluster has what its entries say, and nothing of the rest.
    asked = quotas.divide(spec.model_copy(update={"slice_quota": None}), members)
    total = quotas.amounts(spec.slice_quota)
    needs = {cluster: _needs(asked, cluster) for cluster in members}
    for resource in SHARED:
        for cluster, given in asked.clusters.items():
            if resource in given and needs[cluster].get(resource, 0) > given[resource]:
                where = f"the namespaces with entries, in cluster {cluster}"
                yield _too_much(CLUSTERS, resource, where, needs[cluster][resource], given[resource])
        wanted = sum(given.get(resource, needs[cluster].get(resource, 0)) for cluster, given in asked.clusters.items())
        if resource in total and wanted > total[resource]:
            yield _too_much(TOTAL, resource, "the entries of clusters and namespaces", wanted, total[resource])


def _needs(asked: quotas.Division, cluster: str) -> Amounts:
    """Return what the entries of namespaces add up to in a cluster."""
    entries = [
        {resource: amount for resource, amount in share.hard.items() if resource not in share.fair}
        for share in asked.shares
        if share.cluster == cluster
    ]
    return quotas.total(entries)


def _too_much(field: str, resource: str, whose: str, wanted: int, most: int) -> Problem:
    return Problem(
        field,
        f"{resource} of {whose} add up to {quantities.render(resource, wanted)}, and "
        f"{quantities.render(resource, most)} is all there is: lower the entries or raise this one",
        reason="SumAboveQuota",
    )
