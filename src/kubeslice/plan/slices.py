"""What a slice means for each of its clusters, and how it is doing. Called by the hub's slice reconciler.

The roster, who has which part of the subnet, is remembered in the octets of the WorkerSliceConfigs and in the status of
the SliceConfig: addresses never move while a cluster stays a member.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from kubeslice.model import conditions, names
from kubeslice.model.resources import WORKERSLICECONFIGS
from kubeslice.model.sliceconfig import NamespaceSelection, SliceConfig, SliceGatewayServiceType
from kubeslice.plan import findings, ipam
from kubeslice.plan.findings import Finding
from kubeslice.plan.problems import Problem
from kubeslice.plan.tenancy import Member, cluster_labels

Object = dict[str, Any]

EVERY_CLUSTER = "*"
NO_NETWORK = "no-network"
ACCEPTED = "Accepted"
GATEWAY_REPLICAS = 1


@dataclass(frozen=True)
class Seat:
    """A member's part of the slice: its octet and subnet; the subnet is "" in a slice without a network."""

    cluster: str
    octet: int
    subnet: str


@dataclass(frozen=True)
class MemberState:
    """How the slice does in one cluster, from that worker's report."""

    seat: Seat
    is_ready: bool
    message: str
    tunnels_up: int
    app_pods: int = 0


@dataclass(frozen=True)
class Standing:
    """How a slice does as a whole."""

    members: Sequence[MemberState]
    has_network: bool
    planes: int = GATEWAY_REPLICAS

    @property
    def tunnels_wanted(self) -> int:
        """Return the number of tunnel ends that should be up: one for each plane and ordered pair."""
        return len(self.members) * self.tunnels_of_member

    @property
    def tunnels_of_member(self) -> int:
        """Return how many of them belong to each member."""
        return (len(self.members) - 1) * self.planes if self.has_network and self.members else 0

    @property
    def tunnels_up(self) -> int:
        """Return how many are up."""
        return sum(member.tunnels_up for member in self.members)

    @property
    def sentence(self) -> str:
        """Return the state for people."""
        ready = sum(member.is_ready for member in self.members)
        clusters = f"{ready} of {len(self.members)} clusters ready"
        return f"{clusters}, {self.tunnels_up} of {self.tunnels_wanted} tunnels up" if self.has_network else clusters


def worker_config(project: str, config: SliceConfig, seat: Seat, qos: Mapping[str, Any] | None) -> Object:
    """Return the WorkerSliceConfig of one member; `qos` is the slice's profile in wire form."""
    spec, member = config.spec, Member(project, seat.cluster)
    wanted: Object = {
        "sliceName": config.metadata.name,
        "sliceType": spec.slice_type,
        "sliceIpamType": spec.slice_ipam_type,
        "overlayNetworkDeploymentMode": spec.overlay_network_deployment_mode,
        "octet": seat.octet,
        "gatewayReplicas": GATEWAY_REPLICAS,
        "namespaceIsolationProfile": _namespaces(config, seat.cluster),
        "sliceGatewayProvider": _provider(config, seat.cluster),
    }
    if seat.subnet:
        wanted |= {"sliceSubnet": spec.slice_subnet, "clusterSubnetCIDR": seat.subnet}
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
    if config.spec.overlay_network_deployment_mode == NO_NETWORK:
        return Seat(cluster, octet, "")
    subnet = ipam.cluster_subnet(IPv4Network(config.spec.slice_subnet), config.spec.max_clusters, octet)
    return Seat(cluster, octet, str(subnet))


def seats(config: SliceConfig, taken: Mapping[str, int]) -> list[Seat]:
    """Give every member its place; `taken` are the octets in use, also of clusters on their way out.

    Raises `Terminal` when there are more members than places.
    """
    octets = ipam.octets(config.spec.clusters, taken, config.spec.max_clusters)
    return [seat(config, cluster, octet) for cluster, octet in octets.items()]


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


def member_state(seat: Seat, config: Mapping[str, Any] | None, tunnels_up: int, silence: str) -> MemberState:
    """Judge one member by its WorkerSliceConfig; `silence` tells why its worker's word is old, "" when it is fresh."""
    status = (config or {}).get("status") or {}
    reported = conditions.find(status.get("conditions") or [], conditions.READY)
    app_pods = len(status.get("connectedAppPods") or [])
    if silence:
        return MemberState(seat, is_ready=False, message=silence, tunnels_up=tunnels_up, app_pods=app_pods)
    if reported is None:
        message = f"the worker of {seat.cluster} has not reported on the slice yet"
        return MemberState(seat, is_ready=False, message=message, tunnels_up=tunnels_up, app_pods=app_pods)
    is_ready = reported.get("status") == "True"
    message = "" if is_ready else str(reported.get("message") or reported.get("reason") or "not ready")
    return MemberState(seat, is_ready=is_ready, message=message, tunnels_up=tunnels_up, app_pods=app_pods)


def status_fields(standing: Standing) -> Object:
    """Return the status of a SliceConfig apart from its conditions."""
    members = [_member_status(member, standing) for member in standing.members]
    tunnels = {"tunnels": f"{standing.tunnels_up}/{standing.tunnels_wanted}"} if standing.has_network else {}
    return {"members": members, **tunnels}


def judge(standing: Standing, problems: Sequence[Problem]) -> list[Finding]:
    """Return the findings about a slice: whether its spec is accepted and, of what runs, whether all of it does."""
    accepted = Finding(ACCEPTED, "True", "Valid", "the spec is in force")
    if problems:
        accepted = Finding(ACCEPTED, "False", problems[0].reason, "; ".join(map(str, problems)))
    return [_ready(standing, problems), accepted]


def _ready(standing: Standing, problems: Sequence[Problem]) -> Finding:
    if not standing.members:
        if problems:
            return findings.not_ready(problems[0].reason, "; ".join(map(str, problems)))
        return findings.not_ready("NoClusters", "the slice has no clusters: name them in spec.clusters")
    late = [member for member in standing.members if not member.is_ready]
    sentence = standing.sentence
    if problems:
        sentence += "; the last change is not in force, see Accepted"
    if late:
        return findings.not_ready("ClustersNotReady", f"{sentence}; {_complaints(late)}")
    if standing.tunnels_up < standing.tunnels_wanted:
        return findings.not_ready("TunnelsDown", sentence)
    return findings.ready("AllUp", sentence)


def _complaints(late: Sequence[MemberState]) -> str:
    shown = [f"{member.seat.cluster}: {member.message}" for member in late[:3]]
    return "; ".join(shown) + (f"; and {len(late) - 3} more" if len(late) > 3 else "")


def _member_status(member: MemberState, standing: Standing) -> Object:
    status: Object = {"cluster": member.seat.cluster, "octet": member.seat.octet, "ready": member.is_ready}
    status["appPods"] = member.app_pods
    if member.message:
        status["message"] = member.message
    if member.seat.subnet:
        status |= {"clusterSubnet": member.seat.subnet}
        status |= {"tunnelsUp": member.tunnels_up, "tunnels": standing.tunnels_of_member}
    return status


def _namespaces(config: SliceConfig, cluster: str) -> Object:
    profile = config.spec.namespace_isolation_profile
    if profile is None:
        return {"isolationEnabled": False, "applicationNamespaces": [], "allowedNamespaces": []}
    return {
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
    }


def _external_gateway(config: SliceConfig, cluster: str) -> Object:
    for entry in config.spec.external_gateway_config:
        if {cluster, EVERY_CLUSTER} & set(entry.clusters):
            return {key: value for key, value in entry.wire().items() if key != "clusters"}
    return {}
