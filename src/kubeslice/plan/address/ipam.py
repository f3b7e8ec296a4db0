"""How a cluster's part of a slice is cut into blocks of nodes and addresses of pods; all of it sticky.

The hub gives the parts (`plan.address.parts`), the operator node blocks and VNIs, the agent addresses; gateways and
routers read their own addresses off a `ClusterPlan`. The picture is docs/explanation/address-plan.md.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import chain

from kubeslice.model.errors import Terminal
from kubeslice.model.names import BGP_BASE_AS, BGP_BASE_AS_LONG, HIGHEST_AS, LOWEST_VNI, MAX_PLANES, ROUTERS

SMALLEST_CLUSTER_PREFIX = 26
INFRASTRUCTURE_SIZE = 16
HIGHEST_VNI = 2**24 - 1


@dataclass(frozen=True)
class ClusterPlan:
    """The fixed places inside one cluster's subnet, which is /26 or larger.

    The first 16 addresses are infrastructure, the last quarter is kept for virtual IPs of imported services, and
    what lies between is cut into node blocks of one size.
    """

    subnet: IPv4Network

    def __post_init__(self) -> None:
        if self.subnet.prefixlen > SMALLEST_CLUSTER_PREFIX:
            raise Terminal(f"{self.subnet} is too small for a cluster: it needs at least a /{SMALLEST_CLUSTER_PREFIX}")

    def router_next_hop(self, number: int) -> IPv4Address:
        """Return virtual next hop 0 or 1, .1 or .2: pods route through it, and it moves to a router that lives."""
        return self.subnet[1 + _router(number)]

    def next_hop_for(self, address: IPv4Address) -> IPv4Address:
        """Return the virtual next hop of the pod with this address: every other pod has the other one."""
        return self.router_next_hop(int(address) & 1)

    @property
    def router_next_hops(self) -> tuple[IPv4Address, ...]:
        """Return all virtual next hops."""
        return tuple(self.router_next_hop(number) for number in range(ROUTERS))

    def router(self, number: int) -> IPv4Address:
        """Return the own address of router 0 or 1, which is that of plane 0: .4 or .12."""
        return self.router_plane(number, 0)

    def router_plane(self, router: int, plane: int) -> IPv4Address:
        """Return a router's address for the routing sessions of one plane: .4 to .7 of router 0, .12 to .15 of 1."""
        return self.subnet[4 + 8 * _router(router) + _checked(plane)]

    def gateway(self, plane: int) -> IPv4Address:
        """Return the address of the gateway of one plane: .8 to .11."""
        return self.subnet[8 + _checked(plane)]

    @property
    def infrastructure(self) -> IPv4Network:
        """Return the block of routers and gateways."""
        return IPv4Network((self.subnet.network_address, 28))

    @property
    def virtual_ips(self) -> IPv4Network:
        """Return the block of virtual IPs of imported services: the last quarter."""
        size = self.subnet.num_addresses // 4
        return IPv4Network((self.subnet[-size], self.subnet.prefixlen + 2))

    @property
    def block_prefix(self) -> int:
        """Return the prefix length of node blocks."""
        return 26 if self.subnet.prefixlen <= 22 else 28

    @property
    def block_size(self) -> int:
        """Return how many pods a node block has room for."""
        return 1 << (32 - self.block_prefix)

    @cached_property
    def node_blocks(self) -> tuple[IPv4Network, ...]:
        """Return all node blocks, block 0 first: what the infrastructure is in is none."""
        first, end = int(self.subnet.network_address) + self.block_size, int(self.virtual_ips.network_address)
        return tuple(IPv4Network((place, self.block_prefix)) for place in range(first, end, self.block_size))


def _router(number: int) -> int:
    if not 0 <= number < ROUTERS:
        raise ValueError(f"router {number}: there are routers 0 and {ROUTERS - 1}")
    return number


def _checked(plane: int) -> int:
    if not 0 <= plane < MAX_PLANES:
        raise ValueError(f"plane {plane}: there are planes 0 to {MAX_PLANES - 1}")
    return plane


NodeBlocks = dict[str, tuple[IPv4Network, ...]]


def assign_node_blocks(
    plan: ClusterPlan,
    nodes: Collection[str],
    current: Mapping[str, Sequence[IPv4Network]],
    demand: Mapping[str, int],
) -> NodeBlocks:
    """Give every node blocks for as many pods as `demand` says, at least one; lowest free block first.

    `current` is what was given before: a node keeps its blocks as long as it is in `nodes`, and blocks of nodes that
    are not come free. `demand` counts addresses wanted by node, absent means none yet. A node that finds no block
    left gets none: `shortage` names it, and the nodes that have blocks are not touched.
    """
    kept: NodeBlocks = {node: tuple(current[node]) for node in sorted(nodes) if current.get(node)}
    used = set(chain.from_iterable(kept.values()))
    free = [block for block in plan.node_blocks if block not in used]
    given = dict(kept)
    first_blocks = dict.fromkeys(nodes, 1)
    for wanted in (first_blocks, {node: _blocks_for(plan, demand.get(node, 0)) for node in nodes}):
        for node in sorted(nodes):
            own = given.get(node, ())
            missing = max(0, wanted[node] - len(own))
            given[node] = (*own, *free[:missing])
            free = free[missing:]
    return {node: given[node] for node in sorted(nodes)}


def _blocks_for(plan: ClusterPlan, addresses: int) -> int:
    return -(-addresses // plan.block_size)


def shortage(plan: ClusterPlan, blocks: NodeBlocks, demand: Mapping[str, int]) -> dict[str, int]:
    """Return how many addresses each node lacks; empty when every node has enough."""
    lacking = {node: max(demand.get(node, 0), 1) - len(own) * plan.block_size for node, own in blocks.items()}
    return {node: count for node, count in lacking.items() if count > 0}


def next_address(
    blocks: Iterable[IPv4Network], used: Collection[IPv4Address], last: IPv4Address | None = None
) -> IPv4Address | None:
    """Return the next free address of a node's blocks: the first after `last`, wrapping round; None when full.

    `last` is the address that was given or freed last, whichever was later: it comes back only when no other is free,
    so that a peer's stale neighbour or connection entry does not meet a new pod.
    """
    candidates = [address for block in blocks for address in block if address not in used]
    after = [address for address in candidates if last is not None and address > last]
    return min(after or candidates, default=None)


def mac(address: IPv4Address) -> str:
    """Return the MAC that belongs to an overlay address: `02:6b:` and the address in hexadecimal."""
    return "02:6b:" + address.packed.hex(":")


def lowest_vni(taken: Collection[int]) -> int:
    """Return the lowest VNI no slice of this cluster uses. Raises `Terminal` when there is none."""
    used = set(taken)
    vni = next((vni for vni in range(LOWEST_VNI, LOWEST_VNI + len(used) + 1) if vni not in used), HIGHEST_VNI + 1)
    if vni > HIGHEST_VNI:
        raise Terminal("every VNI is in use: delete a slice from this cluster", reason="VniExhausted")
    return vni


def autonomous_system(octet: int) -> int:
    """Return the private AS number of a cluster's routers: one of two bytes as long as there are (RFC 6996)."""
    short = BGP_BASE_AS + octet
    return short if short <= HIGHEST_AS else BGP_BASE_AS_LONG + octet


def twin(address: IPv4Address, subnet: IPv4Network, subnet_v6: IPv6Network) -> IPv6Address:
    """Return the IPv6 address of what has this address in a cluster's subnet: the same place in the cluster's /64."""
    return subnet_v6[int(address) - int(subnet.network_address)]


def overlay_mtu(underlay: Iterable[int], overhead: int) -> int:
    """Return the MTU of a slice: the smallest underlay MTU less the tunnel's overhead; 1500 where none is known."""
    return min(underlay, default=1500) - overhead
