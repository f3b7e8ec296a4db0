"""Makes and removes pod sandboxes on a node: network namespace, address, control group, shim. Blocking, ~15 ms each.

The primary network is a bridge CNI with host-local addresses; what is taken is read from the sandboxes' own records.
"""

import contextlib
import hashlib
import os
import shutil
import socket
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kubeslice.lab import cgroups, execution, wiring
from kubeslice.lab import namespaces as ns
from kubeslice.lab.kubelet import records, spec
from kubeslice.lab.kubelet.records import Sandbox
from kubeslice.lab.pods import shim
from kubeslice.lab.pods.container import CGROUPS
from kubeslice.lab.supervisor import close_others
from kubeslice.lab.topology import Node

Object = dict[str, Any]
NETWORKS = Path("/run/netns")
POD_SYSCTLS = {"net/ipv4/ip_unprivileged_port_start": "0", "net/ipv4/ping_group_range": "0 2147483647"}


def create(pod: Object, node: Node, taken: Iterable[str], last: str) -> Sandbox:
    """Make a pod's sandbox; `taken` are the addresses in use, `last` the one given out last."""
    uid, metadata = pod["metadata"]["uid"], pod["metadata"]
    on_host = bool(pod["spec"].get("hostNetwork"))
    for part in ("layers", "containers"):
        (records.PODS / uid / part).mkdir(parents=True, exist_ok=True)
    address = node.address if on_host else wiring.free_address(node.pod_prefix, taken, last)
    network = "" if on_host else f"cni-{uuid.uuid4()}"
    port = "" if on_host else f"veth{hashlib.sha256(uid.encode()).hexdigest()[:8]}"
    if not on_host:
        _connect(network, port, address, node)
    group = CGROUPS / spec.pod_group(uid)
    (group / "sandbox").mkdir(parents=True, exist_ok=True)
    process = _start_shim(pod, network, records.PODS / uid / "shim.sock")
    started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = Sandbox(uid, metadata["namespace"], metadata["name"], address, network, port, process, started)
    records.save(made.directory / "sandbox.json", made)
    return made


def _connect(network: str, port: str, address: str, node: Node) -> None:
    ns.make_network(NETWORKS / network)
    try:
        execution.ip_batch(wiring.pod_port(port, network, node.mtu))
        with ns.entered(NETWORKS / network):
            execution.set_sysctls(POD_SYSCTLS)
            execution.ip_batch(wiring.pod_links(address, f"{node.pod_prefix}.1"))
    except Exception:
        _disconnect(network)
        raise


def _disconnect(network: str) -> None:
    path = NETWORKS / network
    if network and path.exists():
        ns.unmount(path)
        path.unlink()


def _start_shim(pod: Object, network: str, path: Path) -> int:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(4)
    child = os.fork()
    if child:
        listener.close()
        return child
    try:
        os.setsid()
        close_others([listener.fileno()])
        (CGROUPS / spec.pod_group(pod["metadata"]["uid"]) / "sandbox/cgroup.procs").write_text("0")
        ns.name_process("pause", f"pause: {pod['metadata']['namespace']}/{pod['metadata']['name']}")
        ns.unshare(ns.CLONE_NEWIPC)
        if network:
            ns.enter(NETWORKS / network, "net")
            ns.unshare(ns.CLONE_NEWUTS)
            socket.sethostname((pod["spec"].get("hostname") or pod["metadata"]["name"])[:63])
        shim.serve(listener)
    finally:
        os._exit(1)


def remove(sandbox: Sandbox) -> None:
    """Kill what runs in a sandbox and remove every trace of its network and processes; its records stay."""
    cgroups.remove_tree(CGROUPS / spec.pod_group(sandbox.uid))
    # An adopted shim is the child of process 1, which buries it.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(sandbox.shim, 0)
    if sandbox.port and (Path("/sys/class/net") / sandbox.port).exists():
        execution.run(["ip", "link", "del", sandbox.port])
    _disconnect(sandbox.network)


def forget(sandbox: Sandbox) -> None:
    """Remove the files of a sandbox that was removed: records, volumes, layers, logs."""
    for directory in (
        sandbox.directory,
        Path(spec.DATA / sandbox.uid),
        Path(spec.LOGS / f"{sandbox.namespace}_{sandbox.name}_{sandbox.uid}"),
    ):
        shutil.rmtree(directory, ignore_errors=True)


def is_alive(sandbox: Sandbox) -> bool:
    """Tell whether a sandbox's shim runs."""
    group = CGROUPS / spec.pod_group(sandbox.uid) / "sandbox"
    return cgroups.is_populated(group)
