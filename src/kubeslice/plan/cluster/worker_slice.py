"""What a slice is in one cluster: the spec of its Slice object. Called by the worker operator.

The wish comes from the hub's WorkerSliceConfig or, while the hub does not answer, from the Slice as it stands. VNI and
node blocks are decided here and never move.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any, Literal

from kubeslice.model import names
from kubeslice.model.errors import Terminal
from kubeslice.model.quotas import QuotaPart
from kubeslice.model.slice import Isolation, LocalSliceConfig, NodeBlocks, Slice, SliceIpam, SliceSpec
from kubeslice.model.tunnels import PlaneKeys
from kubeslice.model.workersliceconfig import WorkerNamespaceIsolationProfile, WorkerSliceConfig
from kubeslice.plan import pods
from kubeslice.plan.address import ipam
from kubeslice.plan.address.ipam import ClusterPlan
from kubeslice.plan.cluster.onboarding import Claim
from kubeslice.plan.keys import generations

Object = dict[str, Any]
Engine = Literal["OpenVPN", "Wireguard"]


@dataclass(frozen=True)
class Wish:
    """What somebody wants a slice to be in this cluster. Without subnets it has no network of its own.

    `title` is its name on the hub, which is its `name` here too unless the cluster works for several projects.
    """

    name: str
    title: str
    slice_subnet: str
    cluster_subnet: str
    planes: int
    namespaces: frozenset[str]
    engine: Engine = "Wireguard"
    keys: tuple[PlaneKeys, ...] = ()
    quota: QuotaPart | None = None
    only_existing: bool = False
    isolation: Isolation | None = None

    @property
    def has_network(self) -> bool:
        """Tell whether pods get an address on the slice."""
        return bool(self.cluster_subnet)


@dataclass(frozen=True)
class Terrain:
    """What the cluster has to offer: nodes, their underlay MTUs, pods per node that need addresses, VNIs of others."""

    cluster: str
    nodes: frozenset[str]
    cordoned: frozenset[str]
    mtus: tuple[int, ...]
    demand: Mapping[str, int]
    vnis: frozenset[int]


def wish_of_config(config: WorkerSliceConfig) -> Wish:
    """Return what the hub wants."""
    spec = config.spec
    has_network = spec.overlay_network_deployment_mode != names.NO_NETWORK
    return Wish(
        name=spec.slice_name,
        title=_title(config),
        slice_subnet=spec.slice_subnet if has_network else "",
        cluster_subnet=spec.cluster_subnet_cidr if has_network else "",
        planes=spec.gateway_replicas,
        namespaces=frozenset(spec.namespace_isolation_profile.application_namespaces),
        engine="OpenVPN" if spec.slice_gateway_provider.slice_gateway_type == "OpenVPN" else "Wireguard",
        keys=tuple(spec.gateway_keys),
        quota=spec.resource_quota,
        only_existing=spec.namespace_isolation_profile.only_existing,
        isolation=_isolation(spec.namespace_isolation_profile),
    )


def wish_of_slice(seen: Slice) -> Wish:
    """Return what was wanted when the hub was last heard."""
    spec = seen.spec
    asked = seen.status.slice_config and seen.status.slice_config.namespace_isolation_profile
    return Wish(
        name=seen.metadata.name,
        title=spec.slice_name or seen.metadata.name,
        slice_subnet=spec.slice_subnet,
        cluster_subnet=spec.cluster_subnet,
        planes=spec.gateway_replicas,
        namespaces=frozenset(asked.application_namespaces if asked else spec.namespaces),
        engine=spec.gateway_type,
        keys=tuple(spec.gateway_keys),
        quota=spec.resource_quota,
        only_existing=bool(spec.only_existing),
        isolation=spec.isolation,
    )


def claim(wish: Wish, seen: Slice | None) -> Claim:
    """Return the slice's claim for namespaces, as old as its Slice object, which holds those in its spec."""
    if seen is None:
        return Claim(wish.name, "", wish.namespaces)
    return Claim(wish.name, seen.metadata.creation_timestamp, wish.namespaces, frozenset(seen.spec.namespaces))


def spec(wish: Wish, namespaces: Iterable[str], terrain: Terrain, seen: SliceSpec | None) -> SliceSpec:
    """Decide the whole spec. Raises `Terminal` when the wish cannot come true in this cluster."""
    plain = SliceSpec(
        slice_name=wish.title,
        cluster_name=terrain.cluster,
        gateway_replicas=wish.planes,
        gateway_type=wish.engine,
        gateway_keys=_keys(wish, seen),
        namespaces=sorted(namespaces),
        isolation=wish.isolation,
        resource_quota=wish.quota,
        only_existing=wish.only_existing or None,
    )
    if not wish.has_network:
        return plain
    plan = _plan(wish)
    current = _blocks_in(plan, seen)
    nodes = (terrain.nodes - terrain.cordoned) | (terrain.nodes & current.keys())
    blocks = ipam.assign_node_blocks(plan, nodes, current, terrain.demand)
    return plain.model_copy(
        update={
            "slice_subnet": wish.slice_subnet,
            "cluster_subnet": wish.cluster_subnet,
            "vni": (seen and seen.vni) or ipam.lowest_vni(terrain.vnis),
            "mtu": ipam.overlay_mtu(terrain.mtus, names.TUNNEL_OVERHEAD),
            "node_blocks": [
                NodeBlocks(node=node, cidrs=[str(block) for block in given]) for node, given in blocks.items() if given
            ],
        }
    )


def shortages(decided: SliceSpec, terrain: Terrain) -> list[str]:
    """Return a sentence for each node that has not enough addresses."""
    if not decided.cluster_subnet:
        return []
    given = {entry.node: tuple(map(IPv4Network, entry.cidrs)) for entry in decided.node_blocks}
    blocks = {node: given.get(node, ()) for node in sorted(terrain.nodes - terrain.cordoned)}
    lacking = ipam.shortage(ClusterPlan(IPv4Network(decided.cluster_subnet)), blocks, terrain.demand)
    return [
        f"node {node} lacks addresses for {count} pods: {decided.cluster_subnet} is used up, run fewer pods of the "
        "slice there or make a slice with fewer maxClusters"
        for node, count in sorted(lacking.items())
    ]


def terrain(cluster: str, nodes: Sequence[Object], slice_pods: Iterable[Object], vnis: Collection[int]) -> Terrain:
    """Read what the cluster has to offer off its Nodes, the pods of the slice and the VNIs of its other slices."""
    hosted = Counter(
        (pod.get("spec") or {}).get("nodeName") for pod in slice_pods if not pods.is_finished(pod) and _is_app(pod)
    )
    return Terrain(
        cluster=cluster,
        nodes=frozenset(_name(node) for node in nodes),
        cordoned=frozenset(_name(node) for node in nodes if (node.get("spec") or {}).get("unschedulable")),
        mtus=tuple(sorted(mtu for node in nodes if (mtu := underlay_mtu(node)))),
        # One more than there are pods, so that the next pod finds an address without a round trip.
        demand={str(node): count + 1 for node, count in hosted.items() if node},
        vnis=frozenset(vnis),
    )


def underlay_mtu(node: Object) -> int:
    """Return the MTU that a node's agent measured, 0 while it has not."""
    text = (node["metadata"].get("annotations") or {}).get(names.UNDERLAY_MTU_ANNOTATION) or ""
    return int(text) if text.isdecimal() else 0


def local_config(config: WorkerSliceConfig) -> LocalSliceConfig:
    """Return the hub's wish in the form in which users of the Go implementation read it off a Slice."""
    spec = config.spec
    return LocalSliceConfig(
        slice_id=spec.slice_name,
        slice_display_name=_title(config),
        slice_type=spec.slice_type,
        slice_subnet=spec.slice_subnet,
        cluster_subnet_cidr=spec.cluster_subnet_cidr,
        slice_ipam=SliceIpam(slice_ipam_type=spec.slice_ipam_type, ipam_cluster_octet=spec.octet),
        slice_overlay_network_deployment_mode=spec.overlay_network_deployment_mode,
        slice_gateway_protocol=spec.slice_gateway_provider.slice_gateway_protocol,
        slice_gateway_service_type=spec.slice_gateway_provider.slice_gateway_service_type,
        qos_profile_details=spec.qos_profile_details,
        namespace_isolation_profile=spec.namespace_isolation_profile,
        external_gateway_config=spec.external_gateway_config,
    )


def _isolation(profile: WorkerNamespaceIsolationProfile) -> Isolation | None:
    return Isolation(allowed_namespaces=profile.allowed_namespaces) if profile.isolation_enabled else None


def _title(config: WorkerSliceConfig) -> str:
    return config.metadata.labels.get(names.ORIGINAL_SLICE_LABEL) or config.spec.slice_name


def _keys(wish: Wish, seen: SliceSpec | None) -> list[PlaneKeys]:
    held = [keys.wire() for keys in seen.gateway_keys] if seen else []
    going_on = generations.continued(held, [keys.wire() for keys in wish.keys])
    return [PlaneKeys(plane=plane, generations=list(numbers)) for plane, numbers in sorted(going_on.items())]


def _plan(wish: Wish) -> ClusterPlan:
    try:
        return ClusterPlan(IPv4Network(wish.cluster_subnet))
    except ValueError:
        raise Terminal(f"{wish.cluster_subnet!r} is not a subnet: the hub must write one like 10.1.0.0/18") from None


def _blocks_in(plan: ClusterPlan, seen: SliceSpec | None) -> dict[str, tuple[IPv4Network, ...]]:
    """Return the blocks given before, as far as they still lie in the cluster's subnet."""
    entries = seen.node_blocks if seen else []
    known = set(plan.node_blocks)
    found = {entry.node: tuple(map(IPv4Network, entry.cidrs)) for entry in entries}
    return {node: kept for node, cidrs in found.items() if (kept := tuple(cidr for cidr in cidrs if cidr in known))}


def _is_app(pod: Object) -> bool:
    return pods.role(pod) not in {names.ROUTER_POD, names.GATEWAY_POD}


def _name(obj: Object) -> str:
    return str(obj["metadata"]["name"])
