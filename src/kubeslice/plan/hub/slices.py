"""What a slice means for each of its clusters. Called by the hub's slice reconciler.

The roster, who has which part of the subnet, is remembered in the octets of the WorkerSliceConfigs and in the status of
the SliceConfig: addresses never move while a cluster stays a member.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kubeslice.model import names
from kubeslice.model.resources import WORKERSLICECONFIGS
from kubeslice.model.sliceconfig import NamespaceSelection, SliceConfig, SliceGatewayServiceType, VpnConfig
from kubeslice.plan.address import parts
from kubeslice.plan.hub import defaultslice
from kubeslice.plan.tenants.tenancy import Member, cluster_labels

Object = dict[str, Any]

EVERY_CLUSTER = "*"


@dataclass(frozen=True)
class Seat:
    """A member's part of the slice: its octet and subnets; they are "" in a slice without such a network."""

    cluster: str
    octet: int
    subnet: str
    subnet_v6: str = ""


def worker_config(
    project: str,
    config: SliceConfig,
    seat: Seat,
    qos: Mapping[str, Any] | None,
    keys: Mapping[str, Any],
) -> Object:
    """Return the WorkerSliceConfig of one member.

    `qos` is the slice's profile and `keys` are the fields about the gateways' keys, both in wire form.
    """
    spec, member = config.spec, Member(project, seat.cluster)
    wanted: Object = {
        "sliceName": config.metadata.name,
        "sliceType": spec.slice_type,
        "sliceIpamType": spec.slice_ipam_type,
        "overlayNetworkDeploymentMode": spec.overlay_network_deployment_mode,
        "octet": seat.octet,
        "gatewayReplicas": spec.gateway_replicas,
        "namespaceIsolationProfile": _namespaces(project, config, seat.cluster),
        "sliceGatewayProvider": _provider(config, seat.cluster),
    }
    if seat.subnet:
        wanted |= {"sliceSubnet": spec.slice_subnet, "clusterSubnetCIDR": seat.subnet, **keys}
    if seat.subnet_v6:
        wanted |= {"sliceSubnetV6": spec.slice_subnet_v6, "clusterSubnetCIDRV6": seat.subnet_v6}
    if qos:
        wanted["qosProfileDetails"] = dict(qos)
    external = _external_gateway(config, seat.cluster)
    if external:
        wanted["externalGatewayConfig"] = external
    return {
        "apiVersion": WORKERSLICECONFIGS.api_version,
        "kind": WORKERSLICECONFIGS.kind,
        "metadata": {
            "name": names.worker_slice_config(config.metadata.name, seat.cluster),
            "namespace": member.namespace,
            "labels": slice_labels(member, config.metadata.name),
        },
        "spec": wanted,
    }


def seat(config: SliceConfig, cluster: str, octet: int) -> Seat:
    """Return the place of a cluster with this octet. Raises `Terminal` when the slice has no such part."""
    if config.spec.overlay_network_deployment_mode == names.NO_NETWORK:
        return Seat(cluster, octet, "")
    subnet_v6 = str(parts.part_v6(config.spec.slice_subnet_v6, octet)) if config.spec.slice_subnet_v6 else ""
    return Seat(cluster, octet, parts.cut(config.spec).text(octet), subnet_v6)


def octets(config: SliceConfig, taken: Mapping[str, int]) -> dict[str, int]:
    """Give every member the number of its place; `taken` are those in use, also of clusters on their way out.

    Raises `Terminal` when there are more members than places.
    """
    return parts.octets(config.spec.clusters, taken, parts.count(config.spec))


def seats(config: SliceConfig, placed: Mapping[str, int]) -> list[Seat]:
    """Return the places of clusters with these octets. Raises `Terminal` when the slice has no such part."""
    return [seat(config, cluster, octet) for cluster, octet in placed.items()]


def profile(config: SliceConfig, find: Callable[[str], Object | None]) -> Mapping[str, Any] | None:
    """Return the QoS profile of a slice in wire form: its own, the one it names, or the project's default.

    `find` returns the SliceQoSConfig of a name.
    """
    if config.spec.qos_profile_details:
        return config.spec.qos_profile_details.wire()
    found = find(config.spec.standard_qos_profile_name or names.DEFAULT_QOS_PROFILE)
    return (found.get("spec") or {}) if found else None


def slice_labels(member: Member, slice_name: str) -> dict[str, str]:
    """Return the labels of what the hub makes for a slice in a cluster's namespace."""
    return {
        **cluster_labels(member),
        names.ORIGINAL_SLICE_LABEL: slice_name,
        names.WORKER_CLUSTER_LABEL: member.name,
        names.PROJECT_NAMESPACE_LABEL: names.project_namespace(member.project),
    }


def service_type(config: SliceConfig, cluster: str) -> SliceGatewayServiceType:
    """Return how the gateways of a cluster are exposed: its own entry, else the one for all, else NodePort over UDP."""
    entries = {entry.cluster: entry for entry in config.spec.slice_gateway_provider.slice_gateway_service_type}
    return entries.get(cluster) or entries.get(EVERY_CLUSTER) or SliceGatewayServiceType(cluster=cluster)


def exposures(configs: Iterable[tuple[str, Object]]) -> dict[str, SliceGatewayServiceType]:
    """Return how gateways are exposed by (cluster, WorkerSliceConfig); a slice without a network has none."""
    found = {}
    for cluster, obj in configs:
        provider = (obj.get("spec") or {}).get("sliceGatewayProvider") or {}
        if (obj.get("spec") or {}).get("clusterSubnetCIDR") and not obj["metadata"].get("deletionTimestamp"):
            fields = {"type": provider.get("sliceGatewayServiceType"), "protocol": provider.get("sliceGatewayProtocol")}
            given = {key: value for key, value in fields.items() if value}
            found[cluster] = SliceGatewayServiceType.model_validate({"cluster": cluster, **given})
    return found


def cipher(config: SliceConfig) -> dict[str, str]:
    """Return the field that names the cipher of a slice's tunnels; WireGuard has one of its own and needs none."""
    if config.spec.slice_gateway_provider.slice_gateway_type != "OpenVPN":
        return {}
    return {"cipher": (config.spec.vpn_config or VpnConfig()).cipher}


def remembered_octets(configs: Iterable[tuple[str, Object]], status: Mapping[str, Any]) -> dict[str, int]:
    """Return the octet of every cluster that has or had a place, from (cluster, WorkerSliceConfig) and the status."""
    octets = {
        entry["cluster"]: entry["octet"] for entry in status.get("members") or [] if entry.get("octet") is not None
    }
    for cluster, config in configs:
        octet = (config.get("spec") or {}).get("octet")
        if octet is not None:
            octets[cluster] = octet
    return octets


def _namespaces(project: str, config: SliceConfig, cluster: str) -> Object:
    profile = config.spec.namespace_isolation_profile
    if profile is None:
        return {"isolationEnabled": False, "applicationNamespaces": [], "allowedNamespaces": []}
    # What the default slice holds was found in the clusters: nothing that somebody deletes there is made anew.
    found = {"onlyExisting": True} if defaultslice.is_default(project, config.metadata.name) else {}
    return {
        **found,
        "isolationEnabled": profile.isolation_enabled,
        "applicationNamespaces": _meant(profile.application_namespaces, cluster),
        "allowedNamespaces": _meant(profile.allowed_namespaces, cluster),
    }


def _meant(selections: Iterable[NamespaceSelection], cluster: str) -> list[str]:
    return sorted({entry.namespace for entry in selections if {cluster, EVERY_CLUSTER} & set(entry.clusters)})


def _provider(config: SliceConfig, cluster: str) -> Object:
    exposure = service_type(config, cluster)
    return {
        "sliceGatewayType": config.spec.slice_gateway_provider.slice_gateway_type,
        "sliceCaType": config.spec.slice_gateway_provider.slice_ca_type,
        "sliceGatewayServiceType": exposure.type,
        "sliceGatewayProtocol": exposure.protocol,
        **cipher(config),
    }


def _external_gateway(config: SliceConfig, cluster: str) -> Object:
    for entry in config.spec.external_gateway_config:
        if {cluster, EVERY_CLUSTER} & set(entry.clusters):
            return {key: value for key, value in entry.wire().items() if key != "clusters"}
    return {}
