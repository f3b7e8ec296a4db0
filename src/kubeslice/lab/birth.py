"""`python -m kubeslice.lab.birth TOPOLOGY`: becomes a lab, in two processes.

The outer one stays in the machine's pid namespace and only waits: when the parent ends, however it ends, the kernel
has ended everything inside, and the outer one removes what the kernel keeps: empty cgroups. The parent is process 1 of
a new pid namespace, in mount, network, IPC and UTS namespaces of its own; when the outer one dies it ends too.
Until the clusters' processes run, errors go to standard error, where `lab up` reads them.
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path

from kubeslice.lab import namespaces as ns
from kubeslice.lab.cgroups import remove_tree
from kubeslice.lab.layout import NETWORKS, ROOT, Layout, instance
from kubeslice.lab.topology import Topology, from_dict


def main() -> int:
    """Become the lab that the first argument describes."""
    topology = from_dict(json.loads(sys.argv[1]))
    layout = Layout(topology.name)
    control = listen_for_control(topology.name)
    servers = {cluster.name: _listen_on_loopback() for cluster in topology.clusters}
    _separate_mounts(layout)
    ns.unshare(ns.CLONE_NEWPID | ns.CLONE_NEWNET | ns.CLONE_NEWIPC | ns.CLONE_NEWUTS)
    outer = os.pidfd_open(os.getpid())
    alive, lifeline = os.pipe()
    parent = os.fork()
    if not parent:
        os.close(lifeline)
        return _run_parent(topology, layout, control, servers, (alive, outer))
    control.close()
    for server in servers.values():
        server.close()
    return _wait(parent, layout)


def listen_for_control(name: str) -> socket.socket:
    """Bind the control socket in the machine's network namespace. Raises OSError when a lab of that name runs."""
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    control.bind(f"\0{instance(name)}")
    control.listen(16)
    return control


def _listen_on_loopback() -> socket.socket:
    server = socket.create_server(("127.0.0.1", 0), backlog=512)
    server.setblocking(False)
    return server


def _separate_mounts(layout: Layout) -> None:
    ns.unshare(ns.CLONE_NEWNS)
    ns.propagate("/", ns.MS_PRIVATE)
    ns.mount("tmpfs", "/run", "tmpfs", ns.MS_NOSUID, "mode=755,size=75%,nr_inodes=0")
    for path in (ROOT / "cgroup", NETWORKS):
        path.mkdir(parents=True)
    ns.mount("cgroup2", ROOT / "cgroup", "cgroup2")
    remove_tree(layout.cgroup)
    layout.cgroup.mkdir()


def _run_parent(
    topology: Topology,
    layout: Layout,
    control: socket.socket,
    servers: dict[str, socket.socket],
    descriptors: tuple[int, int],
) -> int:
    from kubeslice.lab.parent import Parent  # noqa: PLC0415 - the waiting process stays small

    return Parent(topology, layout, control, servers, *descriptors).run()


def _wait(parent: int, layout: Layout) -> int:
    ns.name_process("kubeslice-lab", f"{instance(layout.name)}: outer process")
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    # Ending the outer process by a signal is fine: the parent sees its end of the lifeline close.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, status = os.waitpid(parent, 0)
    remove_tree(layout.cgroup)
    return os.waitstatus_to_exitcode(status) & 0x7F


if __name__ == "__main__":
    sys.path[:] = [entry for entry in sys.path if entry and Path(entry).is_absolute()]
    sys.exit(main())
