"""The BGP sessions of routers under test, asked of their BIRD."""

import contextlib
from pathlib import Path

from kubeslice.linux import bird
from kubeslice.linux.bird import Refused


async def sessions(controls: list[Path]) -> tuple[dict[str, bool], int]:
    """Return the sessions of a router and whether each is established, and how many BFD watches.

    `controls` are its control sockets: none before it runs, and of a process that was killed one that nobody answers.
    """
    for control in controls:
        with contextlib.suppress(Refused):
            found = await bird.sessions(control)
            return found, sum(" Up " in line for line in await bird.ask(control, "show bfd sessions"))
    return {}, 0
