"""The shim: one small process per pod that starts its containers, is their parent, and writes their logs.

It holds the pod's namespaces and outlives the kubelet, which speaks to it over a unix socket: JSON lines, with file
descriptors beside an exec. Requests: `run` {id, spec}, `exec` {id, pid, spec} + 3 descriptors, `signal` {id, signal}.
Events: `started` {id, pid, at}, `failed` {id, message, at}, `ended` {id, code, signal, at}; whoever connects first gets
the last event of every container (not of execs), so that a new kubelet knows what happened without it.
Synchronous, because it forks.
"""

import contextlib
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from kubeslice.lab import namespaces as ns
from kubeslice.lab.pods import container
from kubeslice.lab.pods.logfile import Writer

READ_SIZE = 65536
Message = dict[str, Any]


@dataclass
class Task:
    """A process the shim started: a container's first process, or an exec (`asker` is who wants to know)."""

    id: str
    pid: int
    streams: dict[int, Writer] = field(default_factory=dict)
    asker: socket.socket | None = None


class Shim:
    """Serves one pod until it is killed together with the pod's control group."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._tasks: dict[int, Task] = {}
        self._last: dict[str, Message] = {}
        self._clients: dict[socket.socket, bytes] = {}
        self._descriptors: dict[socket.socket, list[int]] = {}

    def run(self) -> None:
        """Serve. Never returns."""
        readable, writable = os.pipe()
        os.set_blocking(readable, False)
        os.set_blocking(writable, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
        self._watch(readable, lambda: self._reap(readable))
        self._watch(self._listener.fileno(), self._accept)
        while True:
            for key, _ in self._selector.select():
                # What one reaction closed, another of the same round must not read.
                if self._selector.get_map().get(key.fd) is key:
                    key.data()

    def _watch(self, descriptor: int, react: Callable[[], object]) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ, react)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        self._clients[client], self._descriptors[client] = b"", []
        self._watch(client.fileno(), lambda: self._read(client))
        for message in self._last.values():
            self._tell(client, message)

    def _drop(self, client: socket.socket) -> None:
        if self._clients.pop(client, None) is None:
            return
        self._selector.unregister(client.fileno())
        for descriptor in self._descriptors.pop(client):
            os.close(descriptor)
        client.close()

    def _tell(self, client: socket.socket, message: Message) -> None:
        try:
            client.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            self._drop(client)

    def _report(self, message: Message) -> None:
        self._last[message["id"]] = message
        for client in list(self._clients):
            self._tell(client, message)

    def _read(self, client: socket.socket) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(client, READ_SIZE, 3)
        except OSError:
            data, descriptors = b"", []
        if not data:
            self._drop(client)
            return
        self._descriptors[client] += descriptors
        *lines, self._clients[client] = (self._clients[client] + data).split(b"\n")
        for line in lines:
            self._obey(client, json.loads(line))

    def _obey(self, client: socket.socket, request: Message) -> None:
        if request["op"] == "run":
            self._run(request["id"], request["spec"])
        elif request["op"] == "exec":
            standard, self._descriptors[client] = self._descriptors[client][:3], self._descriptors[client][3:]
            self._exec(client, request, standard)
        elif request["op"] == "signal":
            for task in self._tasks.values():
                if task.id == request["id"]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(task.pid, request["signal"])

    def _run(self, name: str, spec: container.Spec) -> None:
        if name in self._last:
            return
        out, err = os.pipe(), os.pipe()
        flags = 0 if spec["hostPID"] else ns.CLONE_NEWPID
        with open(os.devnull, "rb") as null, _children_in(flags):  # noqa: PTH123 - a descriptor for the child
            pid, problem = _fork([null.fileno(), out[1], err[1]], lambda: container.become(spec))
        os.close(out[1])
        os.close(err[1])
        if problem:
            os.close(out[0])
            os.close(err[0])
            self._report({"event": "failed", "id": name, "message": problem, "at": _now()})
            return
        log = Path(spec["log"])
        task = Task(name, pid, {out[0]: Writer(log, "stdout"), err[0]: Writer(log, "stderr")})
        self._tasks[pid] = task
        for descriptor, writer in task.streams.items():
            os.set_blocking(descriptor, False)
            self._watch(descriptor, partial(self._copy, task, descriptor, writer))
        self._report({"event": "started", "id": name, "pid": pid, "at": _now()})

    def _exec(self, client: socket.socket, request: Message, standard: list[int]) -> None:
        spec, pid = request["spec"], request["pid"]
        try:
            with ns.entered(f"/proc/{pid}/ns/pid", "pid"):
                child, problem = _fork(
                    standard, lambda: container.enter(spec, pid), terminal=bool(request.get("terminal"))
                )
        except OSError as error:
            child, problem = 0, f"the container does not run: {error.strerror}"
        for descriptor in standard:
            os.close(descriptor)
        if problem:
            self._tell(client, {"event": "failed", "id": request["id"], "message": problem, "at": _now()})
            return
        self._tasks[child] = Task(request["id"], child, asker=client)
        self._tell(client, {"event": "started", "id": request["id"], "pid": child, "at": _now()})

    def _copy(self, task: Task, descriptor: int, writer: Writer) -> bool:
        """Copy what a stream has now to the log; False when it has no more for now."""
        try:
            data = os.read(descriptor, READ_SIZE)
        except BlockingIOError:
            return False
        if data:
            writer.feed(data)
            return True
        writer.close()
        self._selector.unregister(descriptor)
        os.close(descriptor)
        del task.streams[descriptor]
        return False

    def _reap(self, wakeup: int) -> None:
        os.read(wakeup, READ_SIZE)
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                task = self._tasks.pop(pid, None)
                if task:
                    self._end(task, status)

    def _end(self, task: Task, status: int) -> None:
        for descriptor, writer in list(task.streams.items()):
            while self._copy(task, descriptor, writer):
                pass
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        code = 128 + number if number else os.WEXITSTATUS(status)
        message = {"event": "ended", "id": task.id, "code": code, "signal": number, "at": _now()}
        if task.asker is None:
            self._report(message)
        elif task.asker in self._clients:
            self._tell(task.asker, message)


@contextlib.contextmanager
def _children_in(flags: int) -> Any:
    """Fork children into a new pid namespace for the length of a `with` block, when `flags` says so."""
    if not flags:
        yield
        return
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    try:
        ns.unshare(flags)
        try:
            yield
        finally:
            ns.setns(own, ns.CLONE_NEWPID)
    finally:
        os.close(own)


def _fork(standard: list[int], become: Callable[[], None], *, terminal: bool = False) -> tuple[int, str]:
    """Fork a child with these standard streams; return its pid and why its program could not start, or ""."""
    complaint = os.pipe()
    pid = os.fork()
    if not pid:
        _child(standard, become, complaint[1], terminal=terminal)
    os.close(complaint[1])
    with open(complaint[0], "rb") as reader:  # noqa: PTH123 - a descriptor, not a path
        problem = reader.read().decode(errors="replace")
    if problem:
        os.waitpid(pid, 0)
    return pid, problem


def _child(standard: list[int], become: Callable[[], None], complaint: int, *, terminal: bool) -> None:
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        for target, descriptor in enumerate(standard):
            os.dup2(descriptor, target)
        if terminal:
            _control_terminal()
        become()
    except BaseException as error:  # noqa: BLE001 - whatever it was, the parent tells it to the kubelet
        os.write(complaint, (str(error) or repr(error)).encode())
    finally:
        os._exit(128)


def _control_terminal() -> None:
    import fcntl  # noqa: PLC0415 - only for execs with a terminal
    import termios  # noqa: PLC0415

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def serve(listener: socket.socket) -> None:
    """Serve one pod from here on; whatever goes wrong ends the process, and the kubelet makes a new pod sandbox."""
    try:
        Shim(listener).run()
    except BaseException:  # noqa: BLE001 - the last frame of a process
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(1)
