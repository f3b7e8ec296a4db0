"""How the limits of a slice are shared out among its clusters and their namespaces, and what is used of them.

Called by the hub, which passes every cluster its part, and by the worker, which makes ResourceQuotas of it. What has an
entry gets what the entry says; what is left further up is shared out evenly among those without one. So everything
together is never more than the slice may use, and nobody has to ask anybody before a pod starts.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubeslice.model import names
from kubeslice.model.quotas import Limits, NamespaceLimits, NamespacePart, QuotaPart
from kubeslice.model.sliceconfig import SliceConfigSpec
from kubeslice.model.sliceresourcequota import SliceResourceQuotaSpec
from kubeslice.plan import quantities
from kubeslice.plan.hub import namespaces

Object = dict[str, Any]
Amounts = Mapping[str, int]

EVERY_CLUSTER = "*"
PODS, EXPORTS, BANDWIDTH = "pods", "exportedServices", "bandwidthCeilingKbps"
COMPUTE = ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory", PODS)
SHARED = (*COMPUTE, EXPORTS)


@dataclass(frozen=True)
class Share:
    """What one namespace may use in one cluster; of the resources in `fair` it has an even share."""

    cluster: str
    namespace: str
    hard: Amounts
    fair: frozenset[str]


@dataclass(frozen=True)
class Division:
    """The limits of a slice, shared out."""

    total: Amounts
    clusters: Mapping[str, Amounts]
    shares: Sequence[Share]

    def part(self, cluster: str) -> QuotaPart:
        """Return what one cluster is told."""
        given = self.clusters.get(cluster, {})
        return QuotaPart(
            exported_services=given.get(EXPORTS),
            bandwidth_ceiling_kbps=given.get(BANDWIDTH),
            namespaces=[_part(share) for share in self.shares if share.cluster == cluster and share.hard],
        )


def members(configs: Iterable[Object]) -> dict[str, list[str]]:
    """Return the clusters of a slice and the namespaces that it has in each, from its WorkerSliceConfigs."""
    return {
        config["metadata"]["labels"][names.CLUSTER_LABEL]: list(
            (config["spec"].get("namespaceIsolationProfile") or {}).get("applicationNamespaces") or []
        )
        for config in configs
    }


def members_of(spec: SliceConfigSpec) -> dict[str, list[str]]:
    """Return the clusters of a slice and the namespaces that it asks for in each."""
    wanted = namespaces.application(spec)
    return {cluster: namespaces.in_cluster(wanted, cluster) for cluster in spec.clusters}


def limited(config: Object, part: Mapping[str, Any] | None) -> Object:
    """Return a WorkerSliceConfig with this part of a slice's limits, in wire form; its bandwidth caps the profile."""
    if not part:
        return config
    spec = {**config["spec"], "resourceQuota": dict(part)}
    ceiling, profile = part.get(BANDWIDTH), spec.get("qosProfileDetails")
    if ceiling and profile:
        capped = {key: min(profile[key], ceiling) for key in (BANDWIDTH, "bandwidthGuaranteedKbps") if key in profile}
        spec["qosProfileDetails"] = {**profile, **capped}
    return {**config, "spec": spec}


def amounts(limits: Limits | None) -> dict[str, int]:
    """Return what an entry limits, by resource, as whole numbers; unreadable quantities are left out."""
    if limits is None:
        return {}
    found: dict[str, int | None] = {name: quantities.parse(name, text) for name, text in texts(limits).items()}
    found |= {PODS: limits.pods, EXPORTS: limits.exported_services}
    found[BANDWIDTH] = getattr(limits, "bandwidth_ceiling_kbps", None)
    return {name: amount for name, amount in found.items() if amount is not None}


def texts(limits: Limits) -> dict[str, str]:
    """Return the quantities of an entry as they are written, by resource."""
    found = {
        f"{what}.{name}": getattr(given, name)
        for what, given in (("requests", limits.requests), ("limits", limits.limits))
        for name in ("cpu", "memory")
        if given is not None
    }
    return {name: text for name, text in found.items() if text}


def divide(spec: SliceResourceQuotaSpec, members: Mapping[str, Sequence[str]]) -> Division:
    """Share the limits out among member clusters and the namespaces that the slice has in each of them."""
    most = amounts(spec.slice_quota)
    entries = {entry.namespace: (entry, amounts(entry)) for entry in spec.namespace_quota}
    named = {cluster: _named(entries, cluster, found) for cluster, found in members.items()}
    clusters = _clusters(spec, most, {cluster: total(given.values()) for cluster, given in named.items()})
    shares = [
        share
        for cluster, found in members.items()
        for share in _namespaces(cluster, sorted(found), clusters[cluster], named[cluster])
    ]
    return Division(most, clusters, shares)


def written(found: Amounts) -> dict[str, str]:
    """Return amounts as Kubernetes writes them."""
    return {name: quantities.render(name, found[name]) for name in sorted(found)}


def total(found: Iterable[Amounts]) -> dict[str, int]:
    """Return the sum of amounts."""
    result: Counter[str] = Counter()
    for each in found:
        result.update(each)
    return dict(result)


def _clusters(spec: SliceResourceQuotaSpec, most: Amounts, needs: Mapping[str, Amounts]) -> dict[str, dict[str, int]]:
    entries = {entry.cluster: amounts(entry) for entry in spec.cluster_quota}
    given = {cluster: {**entries.get(EVERY_CLUSTER, {}), **entries.get(cluster, {})} for cluster in sorted(needs)}
    for resource in SHARED:
        if resource in most:
            without = [cluster for cluster in given if resource not in given[cluster]]
            # The namespaces that have entries get these from their cluster, whatever is left for the others.
            taken = sum(found.get(resource, 0) for found in given.values())
            taken += sum(needs[cluster].get(resource, 0) for cluster in without)
            for cluster, share in zip(without, _even(most[resource] - taken, len(without)), strict=True):
                given[cluster][resource] = needs[cluster].get(resource, 0) + share
    for found in given.values():
        ceilings = [each[BANDWIDTH] for each in (most, found) if BANDWIDTH in each]
        if ceilings:
            found[BANDWIDTH] = min(ceilings)
    return given


def _namespaces(cluster: str, found: Sequence[str], limits: Amounts, named: Mapping[str, Amounts]) -> list[Share]:
    hard = {namespace: dict(named.get(namespace, {})) for namespace in found}
    fair: dict[str, set[str]] = {namespace: set() for namespace in found}
    for resource in COMPUTE:
        without = [namespace for namespace in found if resource not in hard[namespace]]
        if resource in limits:
            rest = limits[resource] - sum(given.get(resource, 0) for given in hard.values())
            for namespace, share in zip(without, _even(rest, len(without)), strict=True):
                hard[namespace][resource] = share
                fair[namespace].add(resource)
    return [Share(cluster, namespace, hard[namespace], frozenset(fair[namespace])) for namespace in found]


def _named(
    entries: Mapping[str, tuple[NamespaceLimits, Amounts]], cluster: str, found: Iterable[str]
) -> dict[str, Amounts]:
    return {
        namespace: entries[namespace][1]
        for namespace in found
        if namespace in entries and {cluster, EVERY_CLUSTER} & set(entries[namespace][0].clusters)
    }


def _even(rest: int, count: int) -> list[int]:
    """Cut what is left into parts that differ by one at most; nothing when there is less than nothing."""
    if not count:
        return []
    share, more = divmod(max(rest, 0), count)
    return [share + (number < more) for number in range(count)]


def _part(share: Share) -> NamespacePart:
    hard = written({name: amount for name, amount in share.hard.items() if name != EXPORTS})
    return NamespacePart(namespace=share.namespace, hard=hard, exported_services=share.hard.get(EXPORTS))
