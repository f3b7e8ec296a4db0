"""The lab's parent: process 1, from which every process of the lab is forked, and to which the control socket leads.

It builds the networks and nodes, imports once what all processes need, starts them, and then serves three kinds of
events in one loop: a child ended, somebody asks over the control socket, the outer process is gone. It ends by killing
everything, which is all there is to clean up.
"""

import contextlib
import gc
import logging
import os
import selectors
import signal
import socket

from kubeslice.lab import namespaces as ns
from kubeslice.lab import nodes, processes
from kubeslice.lab.cgroups import remove_tree
from kubeslice.lab.control import Control
from kubeslice.lab.fleet import Fleet
from kubeslice.lab.layout import Layout, instance
from kubeslice.lab.machine import image_layers
from kubeslice.lab.supervisor import Supervisor, open_log
from kubeslice.lab.topology import Topology

log = logging.getLogger(__name__)


class Parent:
    """One lab. `servers` are the API servers' listening sockets on the machine's loopback, by cluster."""

    def __init__(
        self,
        topology: Topology,
        layout: Layout,
        control: socket.socket,
        servers: dict[str, socket.socket],
        alive: int,
        outer: int,
    ) -> None:
        self._topology = topology
        self._layout = layout
        self._listener = control
        self._servers = servers
        self._alive = alive
        self._outer = outer
        self._nodes: dict[str, nodes.Namespaces] = {}

    def run(self) -> int:
        """Bring the lab up and stay until told to end. Never returns: ends the process."""
        ns.name_process("kubeslice-lab", f"{instance(self._layout.name)}: parent")
        self._prepare()
        roster = processes.Roster(self._topology, self._layout, self._servers, self._nodes)
        supervisor = Supervisor(roster.everything())
        gc.collect()
        gc.freeze()
        supervisor.start_due()
        open_log(self._layout.log("parent"))
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True)
        try:
            self._serve(supervisor, Fleet(self._topology, self._layout, self._nodes, supervisor, roster))
        finally:
            self._end()
        return 0

    def _prepare(self) -> None:
        ns.mount("proc", "/proc", "proc")
        ns.mount("sysfs", "/sys", "sysfs")
        image_layers(self._layout.image)
        nodes.connect(self._topology)
        builds = [(node, nodes.start_build(self._layout, node)) for node in self._topology.nodes]
        processes.warm()
        self._nodes = {node.name: nodes.finish_build(node, child) for node, child in builds}

    def _serve(self, supervisor: Supervisor, fleet: Fleet) -> None:
        control = Control(self._topology, self._layout, self._servers, self._nodes, supervisor, fleet, self._outer)
        wakeup = _signals()
        with selectors.DefaultSelector() as selector:
            for source in (self._listener.fileno(), self._alive, wakeup):
                selector.register(source, selectors.EVENT_READ)
            while not control.is_over:
                ready = {key.fd for key, _ in selector.select(supervisor.start_due())}
                if wakeup in ready:
                    ended = signal.SIGTERM in os.read(wakeup, 4096)
                    supervisor.reap()
                    if ended:
                        return
                if self._listener.fileno() in ready:
                    control.serve_one(self._listener)
                if self._alive in ready:
                    return

    def _end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)
        remove_tree(self._layout.cgroup)


def _signals() -> int:
    """Make SIGCHLD and SIGTERM readable on a descriptor, as bytes that are signal numbers."""
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    os.set_blocking(writable, False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    return readable
