"""How a router goes without losing a packet: first its next hops, then its sessions, and it forwards to the end.

`main` runs this when the process is asked to stop, before anything else ends.
"""

import asyncio

from kubeslice.router.daemons import Bird, Keepalived

# Its partner has taken the next hops after a tenth of a second; keepalived itself takes a second to end.
TAKEOVER = 0.3
# What was on its way to us when the others learned that we go, and pods that did not hear of it at once.
FORWARDING = 1.0
TIMEOUT = 3.0


async def leave(bird: Bird, keepalived: Keepalived) -> None:
    """Hand over and end BIRD and keepalived; BIRD leaves its routes to the kernel, which goes on forwarding."""
    async with asyncio.TaskGroup() as group:
        group.create_task(keepalived.program.stop())
        await asyncio.sleep(TAKEOVER)
        group.create_task(bird.program.stop())
        await asyncio.sleep(FORWARDING)
