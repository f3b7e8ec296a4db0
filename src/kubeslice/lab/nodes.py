"""Makes the nodes: network, mount, UTS and cgroup namespaces that outlive the process that set them up.

The parent makes the networks (`connect`), then forks one child per node that builds the node's root file system and
stops; the parent opens the child's namespaces and lets it go. `join` is for what it forks later, which has these
descriptors too. (Bind mounts would keep them as well, but newer kernels refuse some mount namespaces.)
"""

import os
import signal
import socket
from pathlib import Path

from kubeslice.lab import execution, wiring
from kubeslice.lab import namespaces as ns
from kubeslice.lab.layout import WAN, Layout, network
from kubeslice.lab.machine import mount_devices, mount_root
from kubeslice.lab.topology import Cluster, Node, Topology

# The order in which they are entered; the one that changes all paths is last.
KINDS = ("net", "uts", "cgroup", "mnt")
Namespaces = dict[str, int]
ROOTFS = "run/kubelet/rootfs"
IMAGE = "run/kubelet/image"
# What a machine that loses its power has lost: all but its disk, which is `layer`.
VOLATILE = ("run", "kubelet")


def connect(topology: Topology) -> None:
    """Make the WAN's and all nodes' network namespaces and everything in them."""
    for name in (WAN, *(node.name for node in topology.nodes)):
        ns.make_network(network(name))
    with ns.entered(network(WAN)):
        execution.set_sysctls(wiring.FORWARDING)
        execution.ip_batch(wiring.wan_links(topology))
    for cluster in topology.clusters:
        for node in cluster.nodes:
            _equip(node, cluster)


def plug(node: Node, cluster: Cluster) -> None:
    """Connect a node, whose network namespace is new, to its LAN."""
    with ns.entered(network(WAN)):
        execution.ip_batch(wiring.node_port(node, cluster))
    _equip(node, cluster)


def unplug(node: Node) -> None:
    """Take a node off its LAN."""
    with ns.entered(network(WAN)):
        execution.ip_batch([f"link del {node.link}"])


def _equip(node: Node, cluster: Cluster) -> None:
    with ns.entered(network(node.name)):
        execution.set_sysctls(wiring.FORWARDING | wiring.ROUTED_BRIDGE)
        execution.ip_batch(wiring.node_links(node, cluster))
        execution.nft(wiring.node_rules(node))


def start_build(layout: Layout, node: Node) -> int:
    """Fork the child that builds a node, and return its process id; it stops itself when it is done."""
    directory = layout.node(node)
    for part in ("run/netns", ROOTFS, IMAGE, "run/lock", "kubelet", "layer", "root"):
        (directory / part).mkdir(parents=True, exist_ok=True)
    layout.node_cgroup(node).mkdir()
    child = os.fork()
    if child:
        return child
    try:
        _build(layout, node)
        os.kill(os.getpid(), signal.SIGSTOP)
    finally:
        os._exit(1)


def finish_build(node: Node, child: int) -> Namespaces:
    """Wait until a node is built; return descriptors of its namespaces. Raises RuntimeError when the build failed."""
    _, status = os.waitpid(child, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        raise RuntimeError(f"{node.name} could not be built")
    found = {kind: os.open(f"/proc/{child}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in KINDS}
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return found


def join(namespaces: Namespaces) -> None:
    """Move this process into a node: its network, files, host name and view of cgroups."""
    for kind in KINDS:
        ns.setns(namespaces[kind], ns.FLAGS[kind])
    os.chdir("/")


def _build(layout: Layout, node: Node) -> None:
    (layout.node_cgroup(node) / "cgroup.procs").write_text("0")
    ns.enter(network(node.name), "net")
    ns.unshare(ns.CLONE_NEWNS | ns.CLONE_NEWUTS | ns.CLONE_NEWCGROUP)
    socket.sethostname(node.name)
    directory = layout.node(node)
    root = directory / "root"
    mount_root(layout.image, directory / "layer", root)
    _mount_kernel(root)
    ns.bind(directory / "run", root / "run")
    ns.bind(layout.image, root / IMAGE)
    ns.bind(directory / "kubelet", root / "var/lib/kubelet")
    _write_identity(root, node)
    ns.pivot_root(root, root / ".old")
    os.chdir("/")
    ns.unmount("/.old")
    # As on a real node mounts are shared, so that pods may mount for others; where containers are put together is not.
    ns.propagate("/", ns.MS_SHARED)
    ns.mount("tmpfs", f"/{ROOTFS}", "tmpfs", 0, "size=64k")
    ns.propagate(f"/{ROOTFS}", ns.MS_PRIVATE)


def _mount_kernel(root: Path) -> None:
    ns.mount("proc", root / "proc", "proc")
    ns.mount("sysfs", root / "sys", "sysfs")
    ns.mount("cgroup2", root / "sys/fs/cgroup", "cgroup2")
    mount_devices(root / "dev", privileged=True)


def _write_identity(root: Path, node: Node) -> None:
    (root / "etc/hostname").write_text(f"{node.name}\n")
    (root / "etc/hosts").write_text(f"127.0.0.1\tlocalhost\n{node.address}\t{node.name}\n")
    (root / "etc/resolv.conf").write_text("# a lab has no name servers outside its clusters\n")
