"""Switches nodes off and on: what a dead machine takes with it, and what a booted one brings.

The control socket calls it from the parent's loop. A node that is off has no network, no mounts, no processes; its disk
stays. The first node of a cluster takes the API server and the controllers along, whose data is on that disk.
"""

import os
import shutil
import time
from pathlib import Path

from kubeslice.lab import cgroups, nodes
from kubeslice.lab import namespaces as ns
from kubeslice.lab.layout import Layout, network
from kubeslice.lab.processes import Roster
from kubeslice.lab.supervisor import Supervisor
from kubeslice.lab.topology import Cluster, Node, Topology

PATIENCE = 2.0


class Fleet:
    """The nodes of a lab: `members` has the namespaces of those that are on, `roster` says what runs on one."""

    def __init__(
        self,
        topology: Topology,
        layout: Layout,
        members: dict[str, nodes.Namespaces],
        supervisor: Supervisor,
        roster: Roster,
    ) -> None:
        self._layout = layout
        self._members = members
        self._supervisor = supervisor
        self._roster = roster
        self._homes = {node.name: (cluster, node) for cluster in topology.clusters for node in cluster.nodes}

    @property
    def stopped(self) -> list[str]:
        """Return the names of the nodes that are off."""
        return sorted(self._homes.keys() - self._members.keys())

    def stop(self, name: str) -> None:
        """Switch a node off, at once and without a word to anybody. Raises ValueError."""
        cluster, node = self._find(name)
        if name not in self._members:
            raise ValueError(f"{name} is off already")
        nodes.unplug(node)
        self._supervisor.kill(lambda program: program.node == name)
        self._roster.leave(cluster, node)
        self._end_processes(self._layout.node_cgroup(node))
        for descriptor in self._members.pop(name).values():
            os.close(descriptor)
        ns.unmount(network(name))
        network(name).unlink()
        for part in nodes.VOLATILE:
            shutil.rmtree(self._layout.node(node) / part, ignore_errors=True)

    def start(self, name: str) -> None:
        """Boot a node that is off. Raises ValueError, RuntimeError."""
        cluster, node = self._find(name)
        if name in self._members:
            raise ValueError(f"{name} is on already")
        ns.make_network(network(name))
        nodes.plug(node, cluster)
        self._members[name] = nodes.finish_build(node, nodes.start_build(self._layout, node))
        self._supervisor.add(self._roster.on_node(cluster, node))

    def _end_processes(self, group: Path) -> None:
        """Kill what runs on a node; orphans are this process's to bury."""
        cgroups.kill(group)
        deadline = time.monotonic() + PATIENCE
        while cgroups.is_populated(group) and time.monotonic() < deadline:
            self._supervisor.reap()
            time.sleep(0.002)
        cgroups.remove_tree(group)

    def _find(self, name: str) -> tuple[Cluster, Node]:
        if name not in self._homes:
            raise ValueError(f"no node {name!r}; there are {', '.join(self._homes)}")
        return self._homes[name]
