"""Where a lab keeps things: paths inside its own mount namespace, all on one tmpfs, and its names outside. Pure."""

from dataclasses import dataclass
from pathlib import Path

from kubeslice.lab.topology import Cluster, Node

ROOT = Path("/run/lab")
NETWORKS = Path("/run/netns")
WAN = "wan"


def instance(name: str) -> str:
    """Return what this lab is called on the machine: its control socket, its cgroup, its process."""
    return f"kubeslice-lab-{name}" if name else "kubeslice-lab"


@dataclass(frozen=True)
class Layout:
    """Paths of one lab as its parent sees them."""

    name: str

    @property
    def image(self) -> Path:
        """Return the directory that `machine.image_layers` makes."""
        return ROOT / "image"

    @property
    def cgroup(self) -> Path:
        """Return the lab's own directory in the cgroup hierarchy."""
        return ROOT / "cgroup" / instance(self.name)

    def node(self, node: Node) -> Path:
        """Return the directory of a node: `run`, `kubelet`, `layer`, and its namespaces below `ns`."""
        return ROOT / "nodes" / node.name

    def node_cgroup(self, node: Node) -> Path:
        """Return what the node sees as the root of its cgroup hierarchy."""
        return self.cgroup / node.name

    def data(self, cluster: Cluster) -> Path:
        """Return the directory in which a cluster's API server keeps its data and credentials."""
        return ROOT / "clusters" / cluster.name

    def title(self, process: str) -> str:
        """Return the command line that `ps` shows for a process."""
        return f"{instance(self.name)}: {process}"

    def log(self, process: str) -> Path:
        """Return the log file of a process (`worker-1/apiserver`, `parent`)."""
        return ROOT / "logs" / f"{process}.log"


def network(name: str) -> Path:
    """Return the file that names the network namespace of a node or of the WAN."""
    return NETWORKS / name
