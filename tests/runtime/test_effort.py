"""Work is measured by what it takes of the loop, and rests in proportion, so that others get their turn."""

import asyncio
import time

import pytest

from kubeslice.model.ids import Key
from kubeslice.runtime.controller import Controller, Result
from kubeslice.runtime.effort import LONGEST_REST, Effort, Pace

BUSY = 0.02


def compute() -> None:
    end = time.thread_time() + BUSY
    while time.thread_time() < end:
        pass


async def test_an_effort_is_what_was_computed_not_what_was_waited_for() -> None:
    async def work() -> str:
        compute()
        await asyncio.sleep(0.1)
        await asyncio.create_task(asyncio.sleep(0))
        compute()
        return "done"

    effort = Effort(work())
    assert await effort == "done"
    assert 2 * BUSY <= effort.seconds < 4 * BUSY


async def test_what_is_thrown_at_an_effort_arrives_inside() -> None:
    async def work() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(5)
        except TimeoutError:
            return "too late"
        return "in time"

    assert await Effort(work()) == "too late"
    cancelled = asyncio.create_task(_wait(Effort(asyncio.sleep(5, ""))))
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled


async def _wait(effort: Effort[str]) -> str:
    return await effort


async def test_a_pace_keeps_work_to_its_share_and_nobody_waits_for_long() -> None:
    pace = Pace(0.25)
    pace.worked(0.05)
    assert pace.wait() == pytest.approx(0.15, abs=0.01)
    pace.worked(60)
    assert pace.wait() <= LONGEST_REST + 0.15
    free = Pace(1.0)
    free.worked(60)
    assert free.wait() <= 0


async def test_a_controller_looks_at_many_changes_at_once_when_a_look_is_dear() -> None:
    class Dear:
        looks = 0

        async def reconcile(self, key: Key) -> Result:
            self.looks += 1
            compute()
            await asyncio.sleep(0)
            return Result()

    dear = Dear()
    controller = Controller("dear", dear, [], share=0.2)
    running = asyncio.create_task(controller.run())
    for _ in range(60):
        controller.enqueue(Key("", "", "a"))
        await asyncio.sleep(0.01)
    while not controller.is_idle:
        await asyncio.sleep(0.01)
    running.cancel()
    assert 2 <= dear.looks <= 20
