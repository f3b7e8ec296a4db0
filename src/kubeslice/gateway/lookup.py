"""Endpoints that are names, as some load balancers have them, turned into addresses before an engine sees them.

The addresses of a name are looked up again with every resync, so that a load balancer may move. While a name server
does not answer, the last answer counts.
"""

import asyncio
import logging
import socket
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address

from kubeslice.plan.peers import Generation, Peer

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
            host
            for generation in wanted
            for peer in generation.peers
            for endpoint in peer.endpoints
            if _is_name(host := _host(endpoint))
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
        endpoints = [
            f"{address}{endpoint[len(host) :]}"
            for endpoint in peer.endpoints
            for host in [_host(endpoint)]
            for address in self._known.get(host, (host,))
        ]
        return replace(peer, endpoints=tuple(dict.fromkeys(endpoints)))


def _host(endpoint: str) -> str:
    return endpoint.rpartition(":")[0]


def _is_name(host: str) -> bool:
    try:
        ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return bool(host) and not host.startswith("[")
    return False
