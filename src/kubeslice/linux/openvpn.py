"""One OpenVPN process and the conversation with it: configuration through a pipe, management through a unix socket.

The process calls us on a socket in a directory that only we may enter (openvpn(8), `--management-client`), and ends
when we do. What is said is decided by `plan.tunnels.openvpn_talk`; the device is made here, before the process, so that
addresses and routes stay on it while the process is started anew.
"""

import asyncio
import logging
import re
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kubeslice.linux import devices
from kubeslice.linux.commands import run
from kubeslice.linux.process import Program

log = logging.getLogger(__name__)

PROGRAM = "openvpn"
QUEUE = 1000  # packets that wait for the process
PAUSE = 2.0  # seconds between attempts to make the socket, where the disk is full
_OFFLOAD = re.compile(r"^DCO version: (\S+)", re.MULTILINE)


class Talk(Protocol):
    """Our side of a conversation: see `plan.tunnels.openvpn_talk`."""

    def greet(self) -> list[str]:
        """Return the first lines to say."""
        ...

    def hear(self, line: str, now: float) -> list[str]:
        """Return what to answer to a line."""
        ...


class Daemon:
    """An OpenVPN process, kept running. `text` is its configuration; `heard` takes each line of its log."""

    def __init__(self, text: str, socket: Path, talk: Talk, heard: Callable[[str], None]) -> None:
        self._socket = socket
        self._talk = talk
        self._heard = heard
        self._writer: asyncio.StreamWriter | None = None
        command = [PROGRAM, "--config", "stdin", "--management", str(socket), "unix", "--management-client"]
        self._program = Program(command, text=text, heard=heard)

    async def run(self) -> None:
        """Keep the process running until cancelled, then end it."""
        server = await self._listen()
        try:
            await self._program.run()
        finally:
            server.close()
            self._socket.unlink(missing_ok=True)

    def say(self, lines: Sequence[str]) -> None:
        """Say something that is no answer; nobody hears it while the process is not there."""
        if self._writer is not None and lines:
            self._writer.write("".join(f"{line}\n" for line in lines).encode())

    async def _listen(self) -> asyncio.Server:
        while True:
            try:
                self._socket.unlink(missing_ok=True)
                return await asyncio.start_unix_server(self._converse, self._socket)
            except OSError as error:
                self._heard(str(error))
                await asyncio.sleep(PAUSE)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.say(self._talk.greet())
        try:
            async for line in reader:
                self.say(self._talk.hear(line.decode(errors="replace").strip(), time.time()))
        except (ConnectionError, ValueError) as error:
            log.warning("the conversation with %s broke: %s", PROGRAM, error)
        finally:
            writer.close()
            if self._writer is writer:
                self._writer = None
                self._talk.greet()  # forgets who was connected


def ensure_device(name: str) -> bool:
    """Make the device of a process, if it is not there and up; tell whether anything had to change."""
    is_made = not devices.is_present(name)
    if is_made:
        run(["ip", "tuntap", "add", "dev", name, "mode", "tun"])
    if is_made or not devices.is_up(name):
        run(["ip", "link", "set", "dev", name, "txqueuelen", str(QUEUE), "up"])
        return True
    return False


@dataclass(frozen=True)
class Version:
    """What OpenVPN is here: its name and version, and that of the kernel's module for it, "" without one."""

    name: str
    offload: str = ""


def version() -> Version | None:
    """Return what OpenVPN calls itself and what it finds in the kernel; None when there is no OpenVPN."""
    if shutil.which(PROGRAM) is None:
        return None
    text = run([PROGRAM, "--version"])
    found = _OFFLOAD.search(text)
    return Version(" ".join(text.split()[:2]), found[1] if found and found[1] != "N/A" else "")
