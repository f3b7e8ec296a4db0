"""Which processes a lab consists of, and what each runs in its fork: the composition root of the parent."""

import socket
from collections.abc import Iterable

from kubeslice.lab.layout import Layout
from kubeslice.lab.nodes import Namespaces
from kubeslice.lab.supervisor import Program
from kubeslice.lab.topology import Topology


def warm() -> None:
    """Import what the forked processes need, once for all of them."""


def programs(topology: Topology, layout: Layout, servers: dict[str, socket.socket], members: dict[str, Namespaces]) -> Iterable[Program]:
    """Return the lab's processes, in the order in which they start."""
    return []
