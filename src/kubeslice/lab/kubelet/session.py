"""Running a program in a container that runs: for probes, preStop hooks and `kubectl exec`. Goes through the shim."""

import asyncio
import os
from collections.abc import Sequence

from kubeslice.lab.kubelet.records import Container, Sandbox
from kubeslice.lab.kubelet.shimclient import Message, ShimClient

MOST_OUTPUT = 10240
CANNOT_START = 126


class Session:
    """One exec. `ended` becomes the exit code; starting problems arrive as `problem` with exit code 126."""

    def __init__(self, sandbox: Sandbox, container: Container, command: Sequence[str]) -> None:
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.problem = ""
        self._sandbox = sandbox
        self._container = container
        self._command = list(command)
        self._client = ShimClient(self._on_event, self._on_gone)

    def start(self, standard: tuple[int, int, int], *, terminal: bool = False) -> None:
        """Start the program on these descriptors, which the caller still owns. Raises OSError without a shim."""
        spec = self._container.spec
        environment = spec["environment"] | ({"TERM": "xterm"} if terminal else {})
        wanted = {key: spec[key] for key in ("cgroup", "directory", "credentials")}
        request = {
            "op": "exec",
            "id": "exec",
            "pid": self._container.pid,
            "terminal": terminal,
            "spec": wanted | {"command": self._command, "environment": environment},
        }
        self._client.connect(self._sandbox.directory / "shim.sock")
        self._client.send(request, standard)

    def close(self) -> None:
        """Let go of the shim; a program that still runs is left alone."""
        self._client.close()

    def _on_event(self, event: Message) -> None:
        if event["id"] != "exec" or self.ended.done():
            return
        if event["event"] == "failed":
            self.problem = event["message"]
            self.ended.set_result(CANNOT_START)
        elif event["event"] == "ended":
            self.ended.set_result(int(event["code"]))

    def _on_gone(self) -> None:
        if not self.ended.done():
            self.problem = "the pod ended"
            self.ended.set_result(CANNOT_START)


async def run(sandbox: Sandbox, container: Container, command: Sequence[str], seconds: float) -> tuple[int, str]:
    """Run a command to its end; return its exit code and the beginning of its output. Raises TimeoutError, OSError."""
    session = Session(sandbox, container, command)
    readable, writable = os.pipe()
    null = os.open(os.devnull, os.O_RDONLY)
    try:
        session.start((null, writable, writable))
        async with asyncio.timeout(seconds):
            code = await session.ended
        os.set_blocking(readable, False)
        try:
            output = os.read(readable, MOST_OUTPUT).decode(errors="replace")
        except BlockingIOError:
            output = ""
        return code, session.problem or output
    finally:
        session.close()
        for descriptor in (readable, writable, null):
            os.close(descriptor)
