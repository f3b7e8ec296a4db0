"""Resting until something happens or it is time, whichever comes first. Called by whatever works in turns."""

import asyncio


async def rest(seconds: float | None, woken: asyncio.Event) -> bool:
    """Rest until woken, for so many seconds at most (None: however long); tell whether it was woken.

    The event stays set: who rests again clears it, before looking at what it tells of.
    """
    try:
        async with asyncio.timeout(seconds):
            return await woken.wait()
    except TimeoutError:
        return False
