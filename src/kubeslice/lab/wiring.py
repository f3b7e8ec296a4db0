"""The lab's networks as `ip -batch` and `nft -f` input. Pure: `execution` runs what these functions return.

Underlay: a WAN namespace with one bridge per cluster LAN, routing between them, and a port to every node.
Cluster: a bridge `cni0` per node for its pods, static routes between the nodes of a cluster, masquerade towards the
rest of the world. Pods have /32 addresses and reach even their neighbours through the node, so that Services and
policies see all traffic whether or not the kernel can filter bridged packets. Bridges have hardware addresses of their
own: one that takes its lowest port's loses packets whenever that changes.
"""

from collections.abc import Iterable

from kubeslice.lab.topology import POD_NETWORK, PUBLIC_NETWORK, Cluster, Node, Topology

PLUMBING = "inet lab-cni"


def wan_links(topology: Topology) -> list[str]:
    """Return the batch for the WAN namespace: a bridge and its address per LAN, a port to every node's `eth0`."""
    # What no mapping of a NAT waits for is dropped without a word.
    lines = ["link set lo up", f"route add blackhole {PUBLIC_NETWORK}"]
    for cluster in topology.clusters:
        lines.append(f"link add {cluster.bridge} address {cluster.mac} type bridge")
        lines.append(f"addr add 172.31.{cluster.lan}.1/24 dev {cluster.bridge}")
        for node in cluster.nodes:
            lines += node_port(node, cluster)
        lines.append(f"link set {cluster.bridge} up")
    return lines


def node_port(node: Node, cluster: Cluster) -> list[str]:
    """Return the batch for the WAN namespace that plugs a node in."""
    peer = f"name eth0 address {node.mac} mtu {node.mtu} netns {node.name}"
    return [
        f"link add {node.link} mtu {node.mtu} type veth peer {peer}",
        f"link set {node.link} master {cluster.bridge} up",
    ]


def node_links(node: Node, cluster: Cluster) -> list[str]:
    """Return the batch for a node's namespace, whose `eth0` is there already."""
    others = [other for other in cluster.nodes if other != node]
    return [
        "link set lo up",
        f"addr add {node.address}/24 dev eth0",
        "link set eth0 up",
        f"route add default via {node.gateway}",
        f"link add cni0 address {node.pod_bridge_mac} mtu {node.mtu} type bridge",
        f"addr add {node.pod_prefix}.1/24 dev cni0",
        "link set cni0 up",
        *(f"route add {other.pod_network} via {other.address}" for other in others),
    ]


def node_rules(node: Node) -> str:
    """Return the node's nftables: pods leave the pod network with the node's address."""
    return f"""
table {PLUMBING} {{
    chain postrouting {{
        type nat hook postrouting priority srcnat + 10; policy accept;
        ip saddr {node.pod_network} ip daddr != {POD_NETWORK} oifname != "cni0" ip daddr != 224.0.0.0/4 masquerade
    }}
}}
"""


FORWARDING = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/send_redirects": "0",
    "net/ipv4/conf/default/send_redirects": "0",
}

# Ports of cni0 are isolated: pods meet by routing. Where br_netfilter is loaded it would rewrite a Service's address
# before the bridge looks, and the bridge would then drop what it must not switch. Absent where the module is.
ROUTED_BRIDGE = {"net/bridge/bridge-nf-call-iptables": "0"}


def pod_port(port: str, namespace: str, mtu: int) -> list[str]:
    """Return the node's half of a pod's primary interface: a port of `cni0`; the pod's end is `eth0`."""
    return [
        f"link add {port} mtu {mtu} type veth peer name eth0 mtu {mtu} netns {namespace}",
        f"link set {port} master cni0 up",
        f"link set {port} type bridge_slave isolated on",
    ]


def pod_links(address: str, gateway: str) -> list[str]:
    """Return the pod's half: its address, and the node as the only way out."""
    return [
        "link set lo up",
        f"addr add {address}/32 dev eth0",
        "link set eth0 up",
        f"route add {gateway} dev eth0 scope link",
        f"route add default via {gateway} dev eth0",
    ]


def free_address(prefix: str, taken: Iterable[str], after: str = "") -> str:
    """Return the next address of a node's /24 after `after`, round and round; ValueError when all are taken."""
    used = set(taken)
    start = int(after.rsplit(".", 1)[1]) if after else 1
    for step in range(253):
        candidate = f"{prefix}.{2 + (start - 1 + step) % 253}"
        if candidate not in used:
            return candidate
    raise ValueError(f"all addresses of {prefix}.0/24 are taken")
