"""The programs that do a router's work, each with its files in the router's private directory: BIRD and keepalived.

`routing` gives them their configuration, `main` runs them, `leaving` ends them in their order.
"""

import asyncio
import signal
from pathlib import Path

from kubeslice.linux import bird as control
from kubeslice.linux import files
from kubeslice.linux.process import Program


class Bird:
    """One BIRD: it starts with its first configuration and takes the next ones without a pause."""

    def __init__(self, directory: Path) -> None:
        self.socket = directory / "bird.ctl"
        self._file = directory / "bird.conf"
        self._configured = asyncio.Event()
        self._running_with = ""
        command = ["bird", "-f", "-c", str(self._file), "-s", str(self.socket)]
        self.program = Program(command, started=self._started)

    async def run(self) -> None:
        """Run BIRD from the first configuration on, until cancelled."""
        await self._configured.wait()
        await self.program.run()

    async def configure(self, text: str) -> bool:
        """Give BIRD a configuration; tell whether it is another than before. Raises `Retry`."""
        if text == self._running_with:
            return False
        await asyncio.to_thread(files.write, self._file, text)
        if self._configured.is_set():
            await control.configure(self.socket)
        self._configured.set()
        self._running_with = text
        return True

    def _started(self) -> None:
        self._running_with = self._file.read_text()


class Keepalived:
    """One keepalived: as `Bird`, but it does not say what it thinks of a configuration."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "keepalived.conf"
        self._configured = asyncio.Event()
        self._text = ""
        own = ["-p", str(directory / "keepalived.pid"), "-r", str(directory / "vrrp.pid")]
        command = ["keepalived", "--dont-fork", "--log-console", "--vrrp", "-f", str(self._file), *own]
        self.program = Program(command)

    async def run(self) -> None:
        """Run keepalived from the first configuration on, until cancelled."""
        await self._configured.wait()
        await self.program.run()

    async def configure(self, text: str) -> None:
        """Give keepalived a configuration. Raises `Retry`."""
        if text == self._text:
            return
        await asyncio.to_thread(files.write, self._file, text)
        self._text = text
        self._configured.set()
        self.program.signal(signal.SIGHUP)
