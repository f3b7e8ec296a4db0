"""What a worker cluster tells the hub about itself: addresses, networks, namespaces, health. Called by the operator."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from kubeslice.model import names
from kubeslice.model.cluster import Cluster, ClusterNamespace, Registration
from kubeslice.plan.findings import Finding
from kubeslice.plan.problems import listing

Object = dict[str, Any]
Health = Literal["Normal", "Warning", "Error"]

HIDDEN_NAMESPACES = frozenset(
    {"kube-system", "default", names.WORKER_NAMESPACE, "kube-node-lease", "kube-public", "istio-system"}
)
MAX_ADDRESSES = 64
AGENT = "agent"
IN_PROGRESS: Registration = "InProgress"
REGISTERED: Registration = "Registered"
DEREGISTERED: Registration = "Deregistered"


def node_addresses(nodes: Iterable[Object], cluster: Cluster | None) -> dict[str, str]:
    """Return where the cluster's gateways are reached: an address by node name.

    Addresses in the spec of the Cluster win and stand for themselves unless a node has them. Otherwise they are those
    of ready nodes, of gateway nodes if there are any: external ones where there are, else internal ones.
    """
    ready = [node for node in nodes if is_ready(node)]
    given = _given(cluster)
    if given:
        owners = {address: _name(node) for node in ready for address in _addresses(node, {"ExternalIP", "InternalIP"})}
        return {owners.get(address, address): address for address in given}
    chosen = [node for node in ready if _is_gateway_node(node)] or ready
    for kind in ("ExternalIP", "InternalIP"):
        found = {_name(node): own[0] for node in chosen if (own := _addresses(node, {kind}))}
        if found:
            return found
    return {}


def is_ready(node: Object) -> bool:
    """Tell whether a node's kubelet says that it works."""
    conditions = (node.get("status") or {}).get("conditions") or []
    return any(entry.get("type") == "Ready" and entry.get("status") == "True" for entry in conditions)


def pod_networks(nodes: Iterable[Object]) -> list[str]:
    """Return the pod networks that nodes declare."""
    specs = [node.get("spec") or {} for node in nodes]
    return sorted({cidr for spec in specs for cidr in spec.get("podCIDRs") or [spec.get("podCIDR")] if cidr})


def namespaces(
    seen: Iterable[Object], titles: Mapping[str, str] = MappingProxyType({}), foreign: Collection[str] = ()
) -> list[ClusterNamespace]:
    """Return the inventory of namespaces in which users of a project may work, with the slice each is on.

    `titles` are the names on the hub of slices of the project; what is on a `foreign` slice is nobody else's business.
    """
    on_slice = {_name(obj): _labels(obj).get(names.SLICE_LABEL, "") for obj in seen}
    lines = [
        ClusterNamespace(name=name, slice_name=titles.get(slice_name, slice_name))
        for name, slice_name in on_slice.items()
        if name not in HIDDEN_NAMESPACES and slice_name not in foreign
    ]
    return sorted(lines, key=lambda line: line.name)


def is_complete(daemonset: Object | None) -> bool:
    """Tell whether a DaemonSet runs on every node it should."""
    status = (daemonset or {}).get("status") or {}
    wanted = int(status.get("desiredNumberScheduled") or 0)
    return wanted > 0 and int(status.get("numberReady") or 0) >= wanted


def is_available(deployment: Object | None) -> bool:
    """Tell whether a Deployment has at least one ready pod."""
    return int(((deployment or {}).get("status") or {}).get("readyReplicas") or 0) > 0


def component_health(
    daemonset: Object | None, deployments: Mapping[str, Object | None], addresses: Mapping[str, str]
) -> dict[str, Health]:
    """Return the health of the cluster's parts by their names."""
    workloads: dict[str, Health] = {name: _health(is_available(found)) for name, found in deployments.items()}
    return {AGENT: _health(is_complete(daemonset)), **workloads, "node-ips": _health(bool(addresses))}


def cluster_health(parts: Mapping[str, Health], seen: Object, now: str) -> Object:
    """Return `clusterHealth`; `lastUpdated` stays while nothing else changes."""
    health = {
        "clusterHealthStatus": "Normal" if all(state == "Normal" for state in parts.values()) else "Warning",
        "componentStatuses": [
            {"component": name, "componentHealthStatus": state} for name, state in sorted(parts.items())
        ],
    }
    is_same = all(seen.get(key) == value for key, value in health.items())
    return {**health, "lastUpdated": seen.get("lastUpdated") if is_same and seen.get("lastUpdated") else now}


def connection(parts: Mapping[str, Health]) -> Finding:
    """Return the condition about the worker's side of the registration."""
    unwell = sorted(name for name, state in parts.items() if state != "Normal")
    if unwell:
        message = f"{', '.join(unwell)} not ready: see the pods in {names.WORKER_NAMESPACE} of the cluster"
        return Finding("ComponentsHealthy", "False", "ComponentNotReady", message)
    return Finding("ComponentsHealthy", "True", "Healthy", "every component of the cluster works")


def is_running(daemonset: Object | None) -> bool:
    """Tell whether a DaemonSet runs on one node at least."""
    return int(((daemonset or {}).get("status") or {}).get("numberReady") or 0) > 0


def missing(cluster: Object, agents: Object | None, addresses: Mapping[str, str]) -> list[str]:
    """Return what a cluster still needs before it can be in slices.

    Whoever was registered once stays so: what fails later is told as its health, and nothing is taken back for it.
    """
    if (cluster.get("status") or {}).get("registrationStatus") == REGISTERED:
        return []
    needed = {
        "a node that is ready and has an address, or spec.nodeIPs of the Cluster": bool(addresses),
        f"an agent that runs: see the DaemonSet kubeslice-agent in {names.WORKER_NAMESPACE}": is_running(agents),
    }
    return [sentence for sentence, is_there in needed.items() if not is_there]


def registration(cluster: Object, left: Sequence[str], lacking: Sequence[str] = ()) -> Registration:
    """Return how far the registration is: `lacking` is `missing` of it.

    `left` names what of KubeSlice is in the cluster and has to go at the registration's end.
    """
    if not cluster["metadata"].get("deletionTimestamp"):
        return IN_PROGRESS if lacking else REGISTERED
    return "DeregisterInProgress" if left else DEREGISTERED


def registered(said: Registration = REGISTERED, lacking: Sequence[str] = (), left: Sequence[str] = ()) -> Finding:
    """Return the condition that goes with what is `said` of the registration.

    `lacking` is `missing` of the cluster, `left` what still has to go at the registration's end.
    """
    match said:
        case "InProgress":
            sentence = f"the worker is connected, and the cluster lacks {'; '.join(lacking)}"
            return Finding("Registered", "False", "RegistrationInProgress", sentence)
        case "DeregisterInProgress":
            sentence = f"the worker cleans up; what is left: {listing(left)}"
            return Finding("Registered", "False", "DeregisterInProgress", sentence)
        case "Deregistered":
            sentence = "nothing of the project's slices is left in the cluster, and its worker reports no more"
            return Finding("Registered", "False", "Deregistered", sentence)
        case _:
            sentence = "the worker has joined; how it is since then, Reachable and ComponentsHealthy say"
            return Finding("Registered", "True", "Registered", sentence)


def _given(cluster: Cluster | None) -> Sequence[str]:
    if cluster is None:
        return []
    return cluster.spec.node_ips or ([cluster.spec.node_ip] if cluster.spec.node_ip else [])


def _addresses(node: Object, kinds: set[str]) -> list[str]:
    entries = (node.get("status") or {}).get("addresses") or []
    return [entry["address"] for entry in entries if entry.get("type") in kinds]


def _is_gateway_node(node: Object) -> bool:
    return _labels(node).get(names.NODE_TYPE_LABEL) == names.GATEWAY_NODE


def _labels(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}


def _name(obj: Object) -> str:
    return str(obj["metadata"]["name"])


def _health(is_well: bool) -> Health:
    return "Normal" if is_well else "Error"
