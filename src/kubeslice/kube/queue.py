"""The work queue of a controller: keys, not events.

A key that is added many times is handed out once; a key that is being worked on is not handed out again until it is
done, and then only if it was added meanwhile. Failures come back after a back-off of their own.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

from kubeslice.kube.backoff import Backoff
from kubeslice.model.ids import Key

RETRY_FIRST = 0.1
RETRY_CAP = 30.0


class WorkQueue:
    """Keys that wait for a worker, in order of arrival. For one event loop.

    `pace` says for how many seconds more nobody gets a key, however many there are, apart from those that are urgent.
    """

    def __init__(self, pace: Callable[[], float] = lambda: 0.0) -> None:
        self._pace = pace
        self._waiting: deque[Key] = deque()
        self._urgent: set[Key] = set()
        self._hurried: set[Key] = set()
        self._dirty: set[Key] = set()
        self._active: set[Key] = set()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._backoffs: dict[Key, Backoff] = {}
        self._arrival = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing waits and nothing is being worked on."""
        return not self._waiting and not self._active

    def add(self, key: Key, *, is_urgent: bool = False) -> None:
        """Ask for work on `key` now; what is urgent does not wait for the pace or for others."""
        if is_urgent:
            self._urgent.add(key)
            self._arrival.set()
        if key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._active:
            self._waiting.append(key)
            self._arrival.set()

    def add_after(self, key: Key, seconds: float) -> None:
        """Ask for work on `key` in `seconds`; an earlier appointment stands."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        timer = self._timers.get(key)
        if timer is not None and timer.when() <= due:
            return
        if timer is not None:
            timer.cancel()
        self._timers[key] = loop.call_at(due, self._ring, key)

    def retry(self, key: Key, at_least: float = 0.0) -> float:
        """Ask for work on `key` after its back-off, as urgent as it was; return the wait in seconds."""
        if key in self._hurried:
            self._urgent.add(key)
        backoff = self._backoffs.setdefault(key, Backoff(RETRY_FIRST, RETRY_CAP))
        wait = max(at_least, backoff.next())
        self.add_after(key, wait)
        return wait

    def succeed(self, key: Key) -> None:
        """Forget the failures of `key`."""
        self._hurried.discard(key)
        self._backoffs.pop(key, None)

    async def take(self) -> Key:
        """Wait for a key and start work on it; `done` must follow."""
        while (key := self._next()) is None:
            self._arrival.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pace() if self._waiting else None):
                    await self._arrival.wait()
        self._waiting.remove(key)
        if key in self._urgent:
            self._urgent.remove(key)
            self._hurried.add(key)
        self._dirty.discard(key)
        self._active.add(key)
        return key

    def _next(self) -> Key | None:
        if self._urgent and (hurried := next((key for key in self._waiting if key in self._urgent), None)):
            return hurried
        return self._waiting[0] if self._waiting and self._pace() <= 0 else None

    def done(self, key: Key) -> None:
        """End work on `key`; if it was added meanwhile it waits again."""
        self._active.discard(key)
        if key in self._dirty:
            self._waiting.append(key)
            self._arrival.set()

    def close(self) -> None:
        """Cancel all appointments."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _ring(self, key: Key) -> None:
        self._timers.pop(key, None)
        self.add(key)
