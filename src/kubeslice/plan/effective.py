"""Which fields this version accepts but does not act on, so that it can say so. Called by reconcilers and webhooks.

`impossible` are wishes without which the slice cannot be what was asked for: it is not made (`Ready=False`). The
others go to the condition `FullyEffective=False`: the slice works, without them.
"""

from collections.abc import Iterable, Iterator

from kubeslice.model.cluster import ClusterSpec
from kubeslice.model.externalgateway import ExternalGateway
from kubeslice.model.project import ProjectSpec
from kubeslice.model.serviceexport import ServiceExportSpec
from kubeslice.model.sliceconfig import NamespaceIsolationProfile, SliceConfigSpec, SliceGatewayServiceType
from kubeslice.plan.problems import Problem

DEFAULT_ROTATION_INTERVAL = 30


def impossible(spec: SliceConfigSpec) -> list[Problem]:
    """Return what this version cannot make a slice of."""
    return list(_impossible(spec))


def _impossible(spec: SliceConfigSpec) -> Iterator[Problem]:
    provider, mode = spec.slice_gateway_provider, spec.overlay_network_deployment_mode
    if provider.slice_gateway_type == "OpenVPN":
        yield Problem(
            "spec.sliceGatewayProvider.sliceGatewayType",
            "OpenVPN is not an engine of this version yet, and another engine is not put in its place unasked: "
            "make the slice with sliceGatewayType Wireguard",
            reason="EngineNotYetEffective",
        )
    if mode != "single-network":
        yield Problem(
            "spec.overlayNetworkDeploymentMode",
            f"{mode} is not a network of this version yet: make the slice with single-network",
            reason="NetworkModeNotYetEffective",
        )


def not_effective(spec: SliceConfigSpec) -> list[str]:
    """Return one sentence for each field of a slice that is accepted and not acted on; empty when all are."""
    return [
        *_qos(spec),
        *_gateways(spec),
        *_keys(spec),
        *_isolation(spec.namespace_isolation_profile or NamespaceIsolationProfile()),
        *_kinds(spec),
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


def project_not_effective(spec: ProjectSpec) -> list[str]:
    """Return one sentence for each field of a project that is accepted and not acted on."""
    if not spec.default_slice_creation:
        return []
    return ["spec.defaultSliceCreation: not acted on yet, no default slice is made"]


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


def _gateways(spec: SliceConfigSpec) -> Iterator[str]:
    for entry in spec.slice_gateway_provider.slice_gateway_service_type:
        yield from _service_type(entry)


def _service_type(entry: SliceGatewayServiceType) -> Iterator[str]:
    where = f"spec.sliceGatewayProvider.sliceGatewayServiceType[cluster={entry.cluster}]"
    if entry.type != "NodePort":
        yield f"{where}.type: {entry.type} is not acted on yet, the gateways are exposed by NodePort"
    if entry.protocol != "UDP":
        yield f"{where}.protocol: {entry.protocol} is not acted on yet, the tunnels use UDP"


def _keys(spec: SliceConfigSpec) -> Iterator[str]:
    if spec.rotation_interval != DEFAULT_ROTATION_INTERVAL:
        yield f"spec.rotationInterval: {spec.rotation_interval} days are not acted on yet, keys stay"
    if spec.renew_before:
        yield "spec.renewBefore: not acted on yet, keys stay"
    if spec.vpn_config:
        yield f"spec.vpnConfig.cipher: {spec.vpn_config.cipher} belongs to OpenVPN, WireGuard uses ChaCha20-Poly1305"
    if spec.slice_gateway_provider.slice_ca_type != "Local":
        yield "spec.sliceGatewayProvider.sliceCaType: WireGuard needs no certificates, none are made"


def _isolation(profile: NamespaceIsolationProfile) -> Iterator[str]:
    where = "spec.namespaceIsolationProfile"
    if profile.isolation_enabled:
        yield f"{where}.isolationEnabled: no policies are made yet, other namespaces reach the pods by their cluster"
    if profile.allowed_namespaces:
        yield f"{where}.allowedNamespaces: no policies are made yet, every namespace is allowed"


def _kinds(spec: SliceConfigSpec) -> Iterator[str]:
    if spec.slice_type != "Application":
        yield f"spec.sliceType: {spec.slice_type} is not acted on, every slice is an Application slice"
    if spec.slice_ipam_type not in {"Local", "Static"}:
        yield f"spec.sliceIpamType: {spec.slice_ipam_type} is not acted on yet, every cluster gets an equal part"


def _external(gateways: Iterable[ExternalGateway]) -> Iterator[str]:
    if any(_asks_for_something(gateway) for gateway in gateways):
        yield "spec.externalGatewayConfig: not acted on yet, no HTTP gateway is made"


def _asks_for_something(gateway: ExternalGateway) -> bool:
    access = gateway.vpc_service_access
    switches = [gateway.ingress, gateway.egress, gateway.ns_ingress]
    if access:
        switches += [access.ingress, access.egress]
    return any(switch and switch.enabled for switch in switches) or gateway.gateway_type in {"istio", "envoy"}
