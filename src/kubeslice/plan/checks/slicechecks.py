"""What can be wrong with a SliceConfig, alone and beside the other objects of its project.

Called through `plan.checks.validation` by the webhook, which refuses, and by the hub, which reports.
"""

from collections.abc import Collection, Iterator, Mapping

from kubeslice.model import names
from kubeslice.model.cluster import Cluster
from kubeslice.model.names import MAX_BARE_SLICE_LENGTH, MAX_CLUSTER_LENGTH, MAX_SLICE_LENGTH
from kubeslice.model.qos import QosProfile
from kubeslice.model.sliceconfig import NamespaceSelection, SliceConfig, SliceConfigSpec, SliceGatewayServiceType
from kubeslice.plan.checks import addresschecks, claimchecks, keychecks, topologychecks
from kubeslice.plan.hub import namespaces, slices
from kubeslice.plan.problems import Problem, duplicates, is_label, listing, name_problems


def slice_config(
    spec: SliceConfigSpec,
    name: str,
    others: Mapping[str, SliceConfigSpec],
    clusters: Mapping[str, Cluster],
    profiles: Collection[str] | None = None,
) -> list[Problem]:
    """Return everything that is wrong with a slice.

    `others` are the project's slices that come before it: all of them for the webhook, for the hub only those made
    earlier, so that of two slices that claim the same the older goes on. `clusters` are the project's clusters.
    `profiles` are the names of the project's SliceQoSConfigs, None where they are not known.
    """
    return [
        *name_problems("metadata.name", name, "slice", _longest_name(spec)),
        *_members(spec, clusters),
        *addresschecks.addresses(spec, clusters),
        *_namespaces(spec),
        *claimchecks.claims(spec, name, others),
        *_service_types(spec),
        *_external_gateways(spec),
        *topologychecks.topology(spec),
        *_qos(spec, profiles),
        *keychecks.renewal(spec),
    ]


def slice_config_change(old: SliceConfigSpec, new: SliceConfigSpec) -> list[Problem]:
    """Return what may not change as it does, beyond what the API server's own rules refuse.

    Those compare entries that stay; here entries that come and go count too, by what they mean for each member.
    """
    before = SliceConfig(spec=old)
    return exposure(new, {cluster: slices.service_type(before, cluster) for cluster in old.clusters})


def exposure(spec: SliceConfigSpec, built: Mapping[str, SliceGatewayServiceType]) -> list[Problem]:
    """Return how the gateways of a slice may not be exposed, because of how those are that are `built`, by cluster."""
    wanted = SliceConfig(spec=spec)
    return [
        problem
        for cluster in dict.fromkeys(spec.clusters)
        if cluster in built
        for problem in _exposure_change(cluster, built[cluster], slices.service_type(wanted, cluster))
    ]


def awaited(spec: SliceConfigSpec, clusters: Mapping[str, Cluster]) -> list[str]:
    """Return what a slice will wait for: members that nobody speaks for yet, or that are shut out."""
    found = {name: clusters[name] for name in dict.fromkeys(spec.clusters) if name in clusters}
    silent = [name for name, member in found.items() if member.status.registration_status != "Registered"]
    shut_out = [name for name, member in found.items() if member.spec.evicted]
    waiting = f"spec.clusters: no worker of {listing(silent)} has registered yet, the slice waits for it"
    without = f"spec.clusters: shut out, and so not in the slice: {listing(shut_out)}"
    return [sentence for names, sentence in ((silent, waiting), (shut_out, without)) if names]


def _longest_name(spec: SliceConfigSpec) -> int:
    has_gateways = spec.overlay_network_deployment_mode != names.NO_NETWORK
    return MAX_SLICE_LENGTH if has_gateways else MAX_BARE_SLICE_LENGTH


def _members(spec: SliceConfigSpec, clusters: Mapping[str, Cluster]) -> Iterator[Problem]:
    field = "spec.clusters"
    for cluster in duplicates(spec.clusters):
        yield Problem(field, f"{cluster} is there twice: name each member once", reason="DuplicateCluster")
    for cluster in dict.fromkeys(spec.clusters):
        if cluster not in clusters:
            yield Problem(field, _unknown(cluster, clusters), reason="UnknownCluster")
        elif len(cluster) > MAX_CLUSTER_LENGTH:
            yield from name_problems(field, cluster, "cluster", MAX_CLUSTER_LENGTH)
    if len(set(spec.clusters)) > spec.max_clusters:
        yield Problem(
            field,
            f"{len(set(spec.clusters))} members are more than maxClusters, {spec.max_clusters}: take some out, "
            "or raise maxClusters as far as it goes",
            reason="TooManyClusters",
        )


def _unknown(cluster: str, clusters: Mapping[str, Cluster]) -> str:
    known = ", ".join(sorted(clusters)) or "none"
    return f"there is no Cluster {cluster} in this project: register it, or take it out (registered: {known})"


def _namespaces(spec: SliceConfigSpec) -> Iterator[Problem]:
    profile = "spec.namespaceIsolationProfile"
    for entry in namespaces.application(spec):
        where = f"{profile}.applicationNamespaces[namespace={entry.namespace}]"
        yield from _selection(where, entry, spec)
        if entry.namespace in namespaces.SYSTEM_NAMESPACES:
            yield Problem(where, "pods of the system cannot join a slice: take it out", reason="SystemNamespace")
    for entry in namespaces.allowed(spec):
        yield from _selection(f"{profile}.allowedNamespaces[namespace={entry.namespace}]", entry, spec)
    for list_name, selections in (
        ("applicationNamespaces", namespaces.application(spec)),
        ("allowedNamespaces", namespaces.allowed(spec)),
    ):
        for namespace in duplicates(entry.namespace for entry in selections):
            yield Problem(
                f"{profile}.{list_name}",
                f"{namespace} is there twice: write it once with all its clusters",
                reason="DuplicateNamespace",
            )


def _selection(where: str, entry: NamespaceSelection, spec: SliceConfigSpec) -> Iterator[Problem]:
    if not is_label(entry.namespace):
        yield Problem(where, f"{entry.namespace!r} cannot be the name of a namespace", reason="InvalidName")
    yield from _clusters_of(f"{where}.clusters", entry.clusters, spec)


def _clusters_of(where: str, listed: list[str], spec: SliceConfigSpec) -> Iterator[Problem]:
    """Check a list of member clusters or `*`."""
    if not listed:
        yield Problem(where, 'no cluster is named: name member clusters, or "*" for all', reason="NoCluster")
    if namespaces.EVERY_CLUSTER in listed and len(listed) > 1:
        yield Problem(where, '"*" stands beside other clusters: write "*" alone, or only names', reason="InvalidSpec")
    for cluster in duplicates(listed):
        yield Problem(where, f"{cluster} is there twice: name it once", reason="DuplicateCluster")
    for cluster in dict.fromkeys(listed):
        if cluster not in {*spec.clusters, namespaces.EVERY_CLUSTER}:
            yield Problem(where, _not_a_member(cluster), reason="NotAMember")


def _not_a_member(cluster: str) -> str:
    return f"{cluster or 'an empty name'} is not in spec.clusters: add it there, or take it out here"


def _service_types(spec: SliceConfigSpec) -> Iterator[Problem]:
    where = "spec.sliceGatewayProvider.sliceGatewayServiceType"
    entries = [entry.cluster for entry in spec.slice_gateway_provider.slice_gateway_service_type]
    for cluster in duplicates(entries):
        yield Problem(where, f"{cluster} is there twice: keep one entry", reason="DuplicateCluster")
    for cluster in dict.fromkeys(entries):
        if cluster not in {*spec.clusters, namespaces.EVERY_CLUSTER}:
            yield Problem(where, _not_a_member(cluster), reason="NotAMember")


def _external_gateways(spec: SliceConfigSpec) -> Iterator[Problem]:
    where = "spec.externalGatewayConfig"
    for number, entry in enumerate(spec.external_gateway_config):
        yield from _clusters_of(f"{where}[{number}].clusters", entry.clusters, spec)
    lists = [dict.fromkeys(entry.clusters) for entry in spec.external_gateway_config]
    for cluster in duplicates(cluster for listed in lists for cluster in listed):
        yield Problem(where, f"{cluster} is in two entries: keep one of them", reason="DuplicateCluster")
    for number, listed in enumerate(lists):
        if namespaces.EVERY_CLUSTER in listed and len({cluster for each in lists for cluster in each}) > 1:
            sentence = "* stands for every cluster: leave the other clusters out, here and in other entries"
            yield Problem(f"{where}[{number}].clusters", sentence, reason="EveryClusterAndOthers")


def _qos(spec: SliceConfigSpec, profiles: Collection[str] | None) -> Iterator[Problem]:
    named, details = spec.standard_qos_profile_name, spec.qos_profile_details
    field = "spec.standardQosProfileName"
    if named and details:
        yield Problem(
            field, f"{named} and spec.qosProfileDetails are both given: keep one of them", reason="InvalidQos"
        )
    if named and profiles is not None and named not in profiles:
        known = ", ".join(sorted(profiles)) or "none"
        yield Problem(
            field, f"there is no SliceQoSConfig {named}: make it, or name another (there are: {known})", "UnknownQos"
        )
    if details:
        yield from qos_profile(details, "spec.qosProfileDetails")


def qos_profile(profile: QosProfile, where: str = "spec") -> list[Problem]:
    """Return what is wrong with a QoS profile."""
    guaranteed, ceiling = profile.bandwidth_guaranteed_kbps, profile.bandwidth_ceiling_kbps
    if guaranteed <= ceiling:
        return []
    sentence = f"{guaranteed} is above bandwidthCeilingKbps, which is {ceiling}: lower it or raise the ceiling"
    return [Problem(f"{where}.bandwidthGuaranteedKbps", sentence, reason="InvalidQos")]


def _exposure_change(
    cluster: str, before: SliceGatewayServiceType, after: SliceGatewayServiceType
) -> Iterator[Problem]:
    where = "spec.sliceGatewayProvider.sliceGatewayServiceType"
    if (before.type, after.type) == ("LoadBalancer", "NodePort"):
        sentence = f"{cluster} cannot go back from LoadBalancer to NodePort: leave its entry"
        yield Problem(where, sentence, reason="Immutable")
    if before.protocol != after.protocol:
        sentence = f"{cluster} cannot change from {before.protocol} to {after.protocol}: leave its entry"
        yield Problem(where, sentence, reason="Immutable")
