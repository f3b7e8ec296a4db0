"""The running server: sites and sockets of the current Corefile, replaced when the file changes and is good."""

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

from kubeslice.lab.coredns import listeners, sites
from kubeslice.lab.coredns.cluster import View
from kubeslice.lab.coredns.configuration import Configuration, configure
from kubeslice.lab.coredns.corefile import CorefileError, parse
from kubeslice.lab.coredns.listeners import Listener
from kubeslice.lab.coredns.sites import Sites

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5
Mark = tuple[int, int, int]


class Server:
    """Listens on every port of the configuration. Replacing it loses no query."""

    def __init__(self, view: View, host: str = listeners.EVERYWHERE) -> None:
        self._view = view
        self._host = host
        self._sites = Sites((), view)
        self._listeners: dict[int, Listener] = {}

    async def use(self, configuration: Configuration) -> None:
        """Serve this configuration from now on. Raises OSError when a port is taken; the old one stays then."""
        fresh = Sites(configuration.sites, self._view)
        for port in sorted(fresh.ports - self._listeners.keys()):
            self._listeners[port] = await listeners.listen(port, self._answer(port), self._host)
        old, self._sites = self._sites, fresh
        for port in self._listeners.keys() - fresh.ports:
            self._listeners.pop(port).close()
        old.close()
        for site in configuration.sites:
            for sentence in sites.describe({site.zone: site.without_effect}):
                log.warning("%s", sentence)

    def close(self) -> None:
        """Stop answering."""
        for listener in self._listeners.values():
            listener.close()
        self._listeners.clear()
        self._sites.close()

    def _answer(self, port: int) -> listeners.Answer:
        async def answer(message: bytes, over_tcp: bool) -> bytes | None:
            return await self._sites.answer(port, message, over_tcp=over_tcp)

        return answer


def read(path: Path) -> Configuration:
    """Read and check a Corefile. Raises `CorefileError` or OSError."""
    return configure(parse(path.read_text(), os.environ))


async def follow(
    path: Path, server: Server, known: Mark, every: float = LOOK_EVERY, seen: Callable[[], None] = lambda: None
) -> None:
    """Take over every good change of the Corefile since `known`, until cancelled; a bad one changes nothing."""
    while True:
        await asyncio.sleep(every)
        now = mark(path)
        if now == known:
            continue
        known = now
        try:
            await server.use(read(path))
        except (CorefileError, OSError) as error:
            log.error("the Corefile changed but cannot be used, the old one stays: %s", error)
        else:
            log.info("reloaded %s", path)
        seen()


def mark(path: Path) -> Mark:
    """Return what changes when the file changes."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_ino, found.st_size
