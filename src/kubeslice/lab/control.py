"""The parent's end of the control socket: one JSON line asks, one JSON line answers, descriptors travel beside it.

Only root of the machine is answered. Requests are small and answered at once; what takes long (a shell in a node, a
log that is followed) happens in the client, which gets the namespaces or the file as open descriptors.
"""

import json
import logging
import os
import signal
import socket
import struct
from pathlib import Path
from typing import Any

from kubeslice.lab import faults, nodes, wan
from kubeslice.lab.containers import find_container
from kubeslice.lab.fleet import Fleet
from kubeslice.lab.layout import WAN, Layout, network
from kubeslice.lab.supervisor import Supervisor
from kubeslice.lab.topology import Topology

log = logging.getLogger(__name__)

PATIENCE = 2.0
Answer = dict[str, Any]
CONTAINER_KINDS = ("net", "uts", "ipc", "cgroup", "pid", "mnt")


class Refused(Exception):
    """The request makes no sense; the sentence goes back to whoever asked."""


class Control:
    """Answers requests about one lab; `outer` is a pidfd of the outer process, whose end is the end of everything."""

    def __init__(
        self,
        topology: Topology,
        layout: Layout,
        servers: dict[str, socket.socket],
        members: dict[str, nodes.Namespaces],
        supervisor: Supervisor,
        fleet: Fleet,
        outer: int,
    ) -> None:
        self._topology = topology
        self._layout = layout
        self._ports = {name: server.getsockname()[1] for name, server in servers.items()}
        self._nodes = members
        self._supervisor = supervisor
        self._fleet = fleet
        self._outer = outer
        self._faults = faults.Faults()
        self.is_over = False

    def serve_one(self, listener: socket.socket) -> None:
        """Accept one connection, answer one request, close it. Never raises."""
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(PATIENCE)
            try:
                answer, descriptors = self._answer(json.loads(_line(connection)))
            except EOFError:  # somebody only wanted to know who listens
                return
            except (Refused, ValueError, OSError, RuntimeError) as error:
                answer, descriptors = {"error": str(error)}, []
            _send(connection, answer, descriptors)

    def _answer(self, request: dict[str, Any]) -> tuple[Answer, list[int]]:
        operation = str(request.get("op"))
        if operation == "enter":
            return self._enter(str(request.get("target")))
        if operation == "down":
            self.is_over = True
            return {}, [os.dup(self._outer)]
        if operation == "log":
            return {}, [self._open_log(str(request.get("process")))]
        simple = {
            "status": self._status,
            "faults": self._set_faults,
            "forget": self._forget,
            "power": self._power,
            "signal": self._signal,
        }
        if operation not in simple:
            raise Refused(f"no operation {operation!r}")
        return simple[operation](request), []

    def _status(self, _: dict[str, Any]) -> Answer:
        running = self._supervisor.processes.values()
        return {
            "topology": self._topology.to_dict(),
            "ports": self._ports,
            "credentials": {cluster.name: _credentials(self._layout, cluster) for cluster in self._topology.clusters},
            "faults": self._all_faults(),
            "processes": [
                {
                    "name": process.program.name,
                    "pid": process.pid,
                    "restarts": process.restarts,
                    "lastExit": process.last_exit,
                }
                for process in running
            ],
        }

    def _signal(self, request: dict[str, Any]) -> Answer:
        process = self._supervisor.processes.get(str(request.get("process")))
        if process is None or not process.pid:
            raise Refused(f"no process {request.get('process')!r} runs")
        os.kill(process.pid, signal.Signals(int(request["signal"])))
        return {}

    def _set_faults(self, request: dict[str, Any]) -> Answer:
        before, self._faults = self._faults, faults.change(self._faults, request, self._topology)
        wan.apply(self._faults, self._topology, self._fleet.stopped)
        if before.hidden != self._faults.hidden:
            wan.forget(self._topology.clusters)
        if self._faults == faults.Faults() and request["action"] == "heal":
            for name in self._fleet.stopped:
                self._fleet.start(name)
        return self._all_faults()

    def _all_faults(self) -> Answer:
        return self._faults.to_dict() | {"stopped": self._fleet.stopped}

    def _power(self, request: dict[str, Any]) -> Answer:
        name = str(request.get("node"))
        if request.get("on"):
            self._fleet.start(name)
            wan.apply(self._faults, self._topology, self._fleet.stopped)
        else:
            self._fleet.stop(name)
        return self._all_faults()

    def _forget(self, request: dict[str, Any]) -> Answer:
        name = str(request.get("cluster"))
        if name not in self._faults.hidden:
            raise Refused(f"{name!r} is not behind NAT")
        wan.forget([cluster for cluster in self._topology.clusters if cluster.name == name])
        return {}

    def _open_log(self, process: str) -> int:
        if process != "parent" and process not in self._supervisor.processes:
            known = ", ".join(sorted(self._supervisor.processes))
            raise Refused(f"no process {process!r}; there are parent, {known}")
        return os.open(self._layout.log(process), os.O_RDONLY | os.O_CLOEXEC)

    def _enter(self, target: str) -> tuple[Answer, list[int]]:
        if target in self._nodes:
            *others, mount = nodes.KINDS
            known = self._nodes[target]
            found = [(kind, os.dup(known[kind])) for kind in others] + [_own("pid"), (mount, os.dup(known[mount]))]
            answer: Answer = {}
        elif target == WAN:
            found, answer = [("net", _open(network(WAN))), _own("pid"), _own("mnt")], {}
        else:
            found, answer = self._container(target)
        return answer | {"kinds": [kind for kind, _ in found]}, [descriptor for _, descriptor in found]

    def _container(self, target: str) -> tuple[list[tuple[str, int]], Answer]:
        found = find_container(self._layout, self._topology, target)
        if found is None:
            raise Refused(f"{target!r} is neither wan, nor a node, nor CLUSTER/NAMESPACE/POD[/CONTAINER] that runs")
        opened = [(kind, _open(Path(f"/proc/{found.pid}/ns/{kind}"))) for kind in CONTAINER_KINDS]
        return opened, {"environment": found.environment, "directory": found.directory}


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _own(kind: str) -> tuple[str, int]:
    return kind, _open(Path(f"/proc/self/ns/{kind}"))


def _credentials(layout: Layout, cluster: Any) -> str:
    path = layout.data(cluster) / "admin.kubeconfig"
    return path.read_text() if path.exists() else ""


def _line(connection: socket.socket) -> bytes:
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    if user != 0:
        raise Refused("only root may control a lab")
    data = b""
    while not data.endswith(b"\n"):
        part = connection.recv(65536)
        if not part:
            raise EOFError
        data += part
    return data


def _send(connection: socket.socket, answer: Answer, descriptors: list[int]) -> None:
    data = json.dumps(answer).encode() + b"\n"
    try:
        if descriptors:
            socket.send_fds(connection, [data[:1]], descriptors)
            data = data[1:]
        connection.sendall(data)
    except OSError as error:
        log.info("nobody waited for an answer: %s", error)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
