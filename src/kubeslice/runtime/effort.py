"""How much of the event loop a piece of work takes, and the rest that follows from it. Called by `runtime.controller`.

Work on a large object is paid by all others, because a process has one loop. A controller whose work grows with what
it looks after says which share of the loop it may take: what changes meanwhile is then looked at once, not each time.
"""

import asyncio
import time
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")

# Nobody waits longer for a turn, however long the one before took.
LONGEST_REST = 1.0


class Effort(Generic[T]):
    """Awaits a coroutine; `seconds` is the processor time that its own steps took, without those of its tasks."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self.seconds = 0.0
        self._work = work

    def __await__(self) -> Generator[Any, Any, T]:
        """Run the coroutine step by step, as `await` does (PEP 492)."""
        step, value = self._work.send, None
        while True:
            started = time.thread_time()
            try:
                waits_for = step(value)
            except StopIteration as end:
                result: T = end.value
                return result
            finally:
                self.seconds += time.thread_time() - started
            try:
                value = yield waits_for
            except BaseException as error:  # noqa: BLE001 - whatever is thrown is the coroutine's to handle
                step, value = self._work.throw, error
            else:
                step = self._work.send


class Pace:
    """Keeps work that takes turns to a `share` of the loop: 1 is all of it."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._next = 0.0

    async def taken_by(self, work: Coroutine[Any, Any, T]) -> T:
        """Await work and rest for it afterwards; it is measured only where there is a share to keep to."""
        if self._share >= 1:
            return await work
        effort = Effort(work)
        outcome = await effort
        self.worked(effort.seconds)
        return outcome

    def worked(self, seconds: float) -> None:
        """Note that so much time of the loop was taken."""
        if self._share < 1:
            rest = min(seconds / self._share - seconds, LONGEST_REST)
            self._next = max(self._next, asyncio.get_running_loop().time()) + rest

    def wait(self) -> float:
        """Return for how many seconds the next turn has to wait."""
        return self._next - asyncio.get_running_loop().time()
