"""What stands between the store and one watcher: a bounded queue, so that a slow reader costs only itself."""

import asyncio
import contextlib

from kubeslice.lab.apiserver.storage.entry import Change

_LIMIT = 10_000


class Subscription:
    """The changes of one resource, in order, for one reader."""

    def __init__(self) -> None:
        self._pending: list[Change] = []
        self._arrival = asyncio.Event()
        self.overflowed = False

    def push(self, change: Change) -> None:
        """Hand over a change; the store calls this."""
        if len(self._pending) >= _LIMIT:
            self.overflowed = True
        else:
            self._pending.append(change)
        self._arrival.set()

    async def batch(self, timeout: float) -> list[Change]:  # noqa: ASYNC109 - a quiet period is a result, not an error
        """Wait for changes and return all there are; nothing after `timeout` seconds of quiet."""
        if not self._pending and not self.overflowed:
            # What arrives between the end of the wait and the next turn of this task counts: whoever is told that there
            # was nothing tells the watcher that it has seen all.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._arrival.wait()
        self._arrival.clear()
        taken, self._pending = self._pending, []
        return taken
