"""Which clusters and nodes a lab has, their names and addresses. Pure; the whole lab computes from these values."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

POD_NETWORK = "10.244.0.0/16"
KUBERNETES_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
DNS_DOMAIN = "cluster.local"
API_PORT = 6443
KUBELET_PORT = 10250
MTU = 1500
SMALLEST_MTU, LARGEST_MTU = 576, 65535
GRACE = 40
MOST_CLUSTERS = 200
MOST_NODES = 200
PUBLIC_NETWORK = "100.64.0.0/16"
BALANCED = range(212, 252)
"""The last numbers of a LAN's addresses that its load balancers give out."""


@dataclass(frozen=True)
class Node:
    """A node: a machine of cluster number `lan` on its LAN, counted from 1."""

    cluster: str
    lan: int
    number: int
    mtu: int = MTU

    @property
    def name(self) -> str:
        """Return the node's name in Kubernetes, which is also its host name."""
        return f"{self.cluster}-node-{self.number}"

    @property
    def address(self) -> str:
        """Return the address on the LAN."""
        return f"172.31.{self.lan}.{10 + self.number}"

    @property
    def gateway(self) -> str:
        """Return the address of the LAN's router, the WAN."""
        return f"172.31.{self.lan}.1"

    @property
    def pod_prefix(self) -> str:
        """Return the first three octets of the pods of this node."""
        return f"10.244.{self.number}"

    @property
    def pod_bridge_mac(self) -> str:
        """Return the hardware address of the node towards its pods; without one it would change as pods come and go."""
        return f"02:6c:0a:f4:{self.number:02x}:01"

    @property
    def pod_network(self) -> str:
        """Return the node's part of the pod network."""
        return f"{self.pod_prefix}.0/24"

    @property
    def balanced(self) -> tuple[str, ...]:
        """Return the addresses of the LAN that load balancers may have."""
        return tuple(f"172.31.{self.lan}.{number}" for number in BALANCED)

    @property
    def mac(self) -> str:
        """Return the hardware address on the LAN, which is the same after a restart."""
        return f"02:6c:ac:1f:{self.lan:02x}:{10 + self.number:02x}"

    @property
    def link(self) -> str:
        """Return the name of the WAN's port to this node, short enough for the kernel."""
        return f"n{self.lan}-{self.number}"


@dataclass(frozen=True)
class Cluster:
    """A cluster: `lan` is its number, 0 for the hub."""

    name: str
    lan: int
    size: int
    mtu: int = MTU

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Return the nodes, first one first; it also holds the API server."""
        return tuple(Node(self.name, self.lan, number, self.mtu) for number in range(1, self.size + 1))

    @property
    def network(self) -> str:
        """Return the LAN."""
        return f"172.31.{self.lan}.0/24"

    @property
    def public(self) -> str:
        """Return the address that others see when the cluster is behind NAT."""
        return f"100.64.{self.lan}.1"

    @property
    def mac(self) -> str:
        """Return the hardware address of the LAN's router, which stays as nodes come and go."""
        return f"02:6c:ac:1f:{self.lan:02x}:01"

    @property
    def bridge(self) -> str:
        """Return the name of the LAN's bridge in the WAN namespace."""
        return f"lan{self.lan}"


@dataclass(frozen=True)
class Topology:
    """A whole lab; `name` tells labs on one machine apart and is mostly empty.

    A node whose kubelet was silent for `grace` seconds counts as unreachable (Kubernetes: 40).
    """

    name: str
    clusters: tuple[Cluster, ...]
    grace: int = GRACE

    @property
    def nodes(self) -> Iterator[Node]:
        """Yield all nodes of all clusters."""
        for cluster in self.clusters:
            yield from cluster.nodes

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON value that `from_dict` reads."""
        return asdict(self)


def from_dict(value: dict[str, Any]) -> Topology:
    """Read what `Topology.to_dict` wrote."""
    return Topology(value["name"], tuple(Cluster(**cluster) for cluster in value["clusters"]), value["grace"])


def lab_topology(
    workers: int, nodes: Sequence[int] = (), name: str = "", *, mtu: int = MTU, grace: int = GRACE
) -> Topology:
    """Return a hub and `workers` worker clusters, with links of `mtu` bytes.

    `nodes` are the sizes of worker-1, worker-2 …: one number for all, or one each; by default worker-1 has two nodes
    and the others one. Raises ValueError when that cannot be.
    """
    if not 0 <= workers < MOST_CLUSTERS:
        raise ValueError(f"{workers} workers: a lab has 0 to {MOST_CLUSTERS - 1}")
    sizes = list(nodes) or [2] + [1] * (workers - 1)
    if len(sizes) == 1:
        sizes *= max(workers, 1)
    if workers and len(sizes) != workers:
        raise ValueError(f"{len(sizes)} sizes for {workers} worker clusters: give one for all, or one for each")
    if not all(1 <= size <= MOST_NODES for size in sizes):
        raise ValueError(f"a cluster has 1 to {MOST_NODES} nodes, not {sizes}")
    if not SMALLEST_MTU <= mtu <= LARGEST_MTU:
        raise ValueError(f"links take packets of {SMALLEST_MTU} to {LARGEST_MTU} bytes, not {mtu}")
    if grace < 1:
        raise ValueError("a node needs at least a second to tell that it is alive")
    members = [Cluster(f"worker-{number}", number, sizes[number - 1], mtu) for number in range(1, workers + 1)]
    return Topology(name, (Cluster("hub", 0, 1, mtu), *members), grace)
