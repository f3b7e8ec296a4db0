"""The processes of a scale bench: started, asked, measured by the kernel's accounts, and ended with the bench."""

import asyncio
import json
import os
import resource
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.errors import ApiError
from kubeslice.kube.http import HttpApi
from kubeslice.model.resources import NAMESPACES
from kubeslice.stage import processors
from kubeslice.stage.probes import NotMeasured

STARTED_WITHIN = 60.0
ENDED_WITHIN = 10.0
# Six streams for each of a hundred workers, and as many at the server.
DESCRIPTORS = 8192
LONGEST_ANSWER = 1 << 24


class Process:
    """One process of the bench, whose errors go into a file."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    def check(self) -> None:
        """Raise `NotMeasured` with its last words when it has ended."""
        if self._process.returncode is not None:
            raise NotMeasured(f"{self._log.stem} ended: {self._log.read_text()[-500:]}")

    @property
    def seconds(self) -> float:
        """Return the processor time spent so far."""
        return sum(processors.spent([self._process.pid]).seconds.values())

    @property
    def mebibytes(self) -> float:
        """Return the memory that it holds now (VmRSS of proc(5))."""
        return self._memory("VmRSS")

    @property
    def most_mebibytes(self) -> float:
        """Return the most memory that it ever held (VmHWM of proc(5))."""
        return self._memory("VmHWM")

    async def ask(self, order: Mapping[str, Any]) -> Any:
        """Send a line of JSON and return the answer."""
        await self.tell(order)
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            await self._process.wait()
            self.check()
        return json.loads(line)

    async def tell(self, order: Mapping[str, Any]) -> None:
        """Send a line of JSON."""
        self.check()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        await self._process.stdin.drain()

    def _memory(self, field: str) -> float:
        self.check()
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1024


@asynccontextmanager
async def running(module: str, log: Path, *arguments: str, **environment: str) -> AsyncIterator[Process]:
    """Run a Python module as a process while the context lasts."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(DESCRIPTORS, hard), hard))
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *arguments,
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            limit=LONGEST_ANSWER,
        )
    try:
        yield Process(process, log)
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), ENDED_WITHIN)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@asynccontextmanager
async def api_server(folder: Path) -> AsyncIterator[tuple[Path, Process]]:
    """Run an embedded API server; return its administrator's kubeconfig when it answers."""
    arguments = ("--data-dir", str(folder), "--listen", f"127.0.0.1:{free_port()}")
    kubeconfig = folder / "admin.kubeconfig"
    async with running("kubeslice.lab.apiserver", folder / "apiserver.log", *arguments) as process:
        await _answering(kubeconfig, process)
        yield kubeconfig, process


async def _answering(kubeconfig: Path, process: Process) -> None:
    async with asyncio.timeout(STARTED_WITHIN):
        while True:
            process.check()
            with suppress(ApiError, OSError, KeyError):
                async with HttpApi(from_kubeconfig(kubeconfig)) as api:
                    await api.list(NAMESPACES)
                    return
            await asyncio.sleep(0.05)


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
