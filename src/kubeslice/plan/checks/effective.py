"""Which fields this version accepts but does not act on, so that it can say so. Called by reconcilers and webhooks.

`impossible` are wishes without which the slice cannot be what was asked for: it is not made (`Ready=False`). The
others go to the condition `FullyEffective=False`: the slice works, without them.
"""

from collections.abc import Iterable, Iterator

from kubeslice.model.cluster import ClusterSpec
from kubeslice.model.externalgateway import ExternalGateway
from kubeslice.model.project import ProjectSpec
from kubeslice.model.serviceexport import ServiceExportSpec
from kubeslice.model.sliceconfig import NamespaceIsolationProfile, SliceConfigSpec, SliceGatewayProvider
from kubeslice.model.sliceipam import IPAM_TYPES
from kubeslice.model.sliceresourcequota import SliceResourceQuotaSpec
from kubeslice.plan.problems import Problem


def impossible(spec: SliceConfigSpec) -> list[Problem]:
    """Return what this version cannot make a slice of."""
    return list(_impossible(spec))


def _impossible(spec: SliceConfigSpec) -> Iterator[Problem]:
    mode = spec.overlay_network_deployment_mode
    if mode == "multi-network":
        yield Problem(
            "spec.overlayNetworkDeploymentMode",
            f"{mode} is not a network of this version yet: make the slice with single-network or no-network",
            reason="NetworkModeNotYetEffective",
        )


def not_effective(spec: SliceConfigSpec) -> list[str]:
    """Return one sentence for each field of a slice that is accepted and not acted on; empty when all are."""
    return [
        *_qos(spec),
        *_gateways(spec.slice_gateway_provider),
        *_cipher(spec),
        *_isolation(spec.namespace_isolation_profile or NamespaceIsolationProfile()),
        *_kinds(spec),
        *_ipv6(spec),
        *_external(spec.external_gateway_config),
    ]


def cluster_not_effective(spec: ClusterSpec) -> list[str]:
    """Return one sentence for each field of a cluster that is accepted and not acted on."""
    wishes = (
        ("networkInterface", spec.network_interface, "gateways use the route of the node"),
        ("enableAutoEviction", spec.enable_auto_eviction, "nothing is evicted"),
        ("requeueOnFailure", spec.requeue_on_failure, "every failure is tried again in any case"),
    )
    return [f"spec.{field}: not acted on yet, {instead}" for field, wish, instead in wishes if wish]


def project_not_effective(spec: ProjectSpec, name: str) -> list[str]:
    """Return one sentence for each field of a project that the hub itself does not act on."""
    if not spec.policy_bundles:
        return []
    remedy = f"apply what `kubeslice policies render {name}` prints in each of them, again when a slice was added"
    return [f"spec.policyBundles: the hub enforces nothing in other clusters, {remedy}"]


def quota_not_effective(spec: SliceResourceQuotaSpec) -> list[str]:
    """Return one sentence for each limit of a slice that nothing keeps."""
    places = [("sliceQuota", spec.slice_quota)]
    places += [(f"clusterQuota[cluster={entry.cluster}]", entry) for entry in spec.cluster_quota]
    return [
        f"spec.{place}.bandwidthCeilingKbps: lowers the profile of the slice, but bandwidth is not shaped yet, every "
        "slice takes what it gets"
        for place, limits in places
        if limits and limits.bandwidth_ceiling_kbps is not None
    ]


def recycler_not_effective() -> list[str]:
    """Return what is to be said of every WorkerSliceGwRecycler."""
    return ["spec: not acted on, gateways take new keys beside the old ones and no pair has to be replaced together"]


def export_not_effective(spec: ServiceExportSpec) -> list[str]:
    """Return one sentence for each field of an export that is accepted and not acted on."""
    if not spec.ingress_enabled:
        return []
    return ["spec.ingressEnabled: not acted on yet, the pods are reached directly"]


def _qos(spec: SliceConfigSpec) -> Iterator[str]:
    for field, wish in (
        ("standardQosProfileName", spec.standard_qos_profile_name),
        ("qosProfileDetails", spec.qos_profile_details),
    ):
        if wish:
            yield f"spec.{field}: bandwidth and priority are not shaped yet, every slice takes what it gets"


def _gateways(provider: SliceGatewayProvider) -> Iterator[str]:
    where = "spec.sliceGatewayProvider"
    if provider.slice_gateway_type == "OpenVPN" and provider.slice_ca_type != "Local":
        yield f"{where}.sliceCaType: {provider.slice_ca_type} is not acted on, the hub is the authority of the slice"
    if provider.slice_gateway_type == "OpenVPN":
        return
    if provider.slice_ca_type != "Local":
        yield f"{where}.sliceCaType: WireGuard needs no certificates, none are made"
    for entry in provider.slice_gateway_service_type:
        if entry.protocol != "UDP":
            yield f"{where}.sliceGatewayServiceType[cluster={entry.cluster}].protocol: WireGuard uses UDP"


def _cipher(spec: SliceConfigSpec) -> Iterator[str]:
    if spec.vpn_config and spec.slice_gateway_provider.slice_gateway_type != "OpenVPN":
        yield f"spec.vpnConfig.cipher: {spec.vpn_config.cipher} belongs to OpenVPN, WireGuard uses ChaCha20-Poly1305"


def _isolation(profile: NamespaceIsolationProfile) -> Iterator[str]:
    where = "spec.namespaceIsolationProfile"
    if profile.allowed_namespaces and not profile.isolation_enabled:
        yield f"{where}.allowedNamespaces: every namespace is allowed, because isolationEnabled is false"


def _kinds(spec: SliceConfigSpec) -> Iterator[str]:
    if spec.slice_type != "Application":
        yield f"spec.sliceType: {spec.slice_type} is not acted on, every slice is an Application slice"
    if spec.slice_ipam_type not in IPAM_TYPES:
        yield f"spec.sliceIpamType: {spec.slice_ipam_type} is not acted on yet, every cluster gets an equal part"


def _ipv6(spec: SliceConfigSpec) -> Iterator[str]:
    if spec.slice_subnet_v6:
        yield "spec.sliceSubnetV6: every cluster has its part, but pods get no IPv6 addresses on the slice yet"


def _external(gateways: Iterable[ExternalGateway]) -> Iterator[str]:
    if any(_asks_for_something(gateway) for gateway in gateways):
        yield "spec.externalGatewayConfig: not acted on yet, no HTTP gateway is made"


def _asks_for_something(gateway: ExternalGateway) -> bool:
    access = gateway.vpc_service_access
    switches = [gateway.ingress, gateway.egress, gateway.ns_ingress]
    if access:
        switches += [access.ingress, access.egress]
    return any(switch and switch.enabled for switch in switches) or gateway.gateway_type in {"istio", "envoy"}
