"""Endpoints that are names, as some load balancers have them, turned into addresses before an engine sees them.

The addresses of a name are looked up again with every resync, so that a load balancer may move. While a name server
does not answer, the last answer counts.
"""

import asyncio
import logging
import socket
from collections.abc import Iterable
from dataclasses import replace

from kubeslice.plan import endpoints
from kubeslice.plan.tunnels.peers import Generation, Peer

log = logging.getLogger(__name__)

PATIENCE = 2.0  # seconds for one name


class Lookup:
    """Remembers the addresses of names."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, ...]] = {}

    async def resolved(self, generations: Iterable[Generation]) -> list[Generation]:
        """Return the generations with addresses in place of names; a name that nobody knows stays what it is."""
        wanted = list(generations)
        hosts = {
            endpoint.host
            for generation in wanted
            for peer in generation.peers
            for endpoint in endpoints.well_formed(peer.endpoints)
            if endpoint.address is None
        }
        if not hosts:
            return wanted
        await asyncio.gather(*map(self._ask, sorted(hosts)))
        return [replace(one, peers=tuple(map(self._addressed, one.peers))) for one in wanted]

    async def _ask(self, host: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(PATIENCE):
                found = await loop.getaddrinfo(host, None, family=socket.AF_INET, type=socket.SOCK_DGRAM)
        except (OSError, TimeoutError, UnicodeError) as error:
            log.warning("the address of %s is not known: %s", host, error)
            return
        self._known[host] = tuple(sorted({str(entry[4][0]) for entry in found}))

    def _addressed(self, peer: Peer) -> Peer:
        found = [address for text in peer.endpoints for address in self._addresses(text)]
        return replace(peer, endpoints=tuple(dict.fromkeys(found)))

    def _addresses(self, text: str) -> list[str]:
        endpoint = endpoints.parse(text)
        if endpoint is None or endpoint.host not in self._known:
            return [text]
        return [f"{address}:{endpoint.port}" for address in self._known[endpoint.host]]
