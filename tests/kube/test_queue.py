"""One key is never worked on twice at once, none is lost, and failures come back later and later."""

import asyncio
import collections

from hypothesis import given, settings
from hypothesis import strategies as st

from kubeslice.kube.queue import WorkQueue
from kubeslice.model.ids import Key


def key(number: int) -> Key:
    return Key("", "ns", str(number))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=40), st.integers(1, 4))
def test_every_addition_is_followed_by_work_and_never_two_at_once(additions: list[int], workers: int) -> None:
    async def scenario() -> None:
        queue = WorkQueue()
        active: collections.Counter[Key] = collections.Counter()
        last_start: dict[Key, int] = {}
        tick = 0

        async def work() -> None:
            nonlocal tick
            while True:
                taken = await queue.take()
                tick += 1
                last_start[taken] = tick
                active[taken] += 1
                assert active[taken] == 1
                await asyncio.sleep(0)
                active[taken] -= 1
                queue.done(taken)

        tasks = [asyncio.create_task(work()) for _ in range(workers)]
        last_added: dict[Key, int] = {}
        for number in additions:
            tick += 1
            last_added[key(number)] = tick
            queue.add(key(number))
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            while not queue.is_idle:
                await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        assert all(last_start[added] > when for added, when in last_added.items())

    asyncio.run(scenario())


async def test_retries_wait_longer_each_time_and_forget_after_success() -> None:
    queue = WorkQueue()
    waits = [queue.retry(key(1)) for _ in range(5)]
    queue.succeed(key(1))
    fresh = queue.retry(key(1))
    queue.close()
    assert waits[4] > waits[0]
    assert fresh <= 0.1


async def test_an_earlier_appointment_stands() -> None:
    queue = WorkQueue()
    queue.add_after(key(1), 0.01)
    queue.add_after(key(1), 60)
    async with asyncio.timeout(2):
        assert await queue.take() == key(1)


async def test_what_is_urgent_waits_neither_for_the_pace_nor_for_others() -> None:
    queue = WorkQueue(lambda: 60.0)
    queue.add(key(1))
    queue.add(key(2))
    taking = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    assert not taking.done()
    queue.add(key(2), is_urgent=True)
    async with asyncio.timeout(2):
        assert await taking == key(2)
    queue.add(key(2), is_urgent=True)
    queue.done(key(2))
    async with asyncio.timeout(2):
        assert await queue.take() == key(2)
    assert len(queue) == 1


async def test_what_is_urgent_stays_so_until_it_succeeds() -> None:
    queue = WorkQueue(lambda: 60.0)
    queue.add(key(1), is_urgent=True)
    async with asyncio.timeout(5):
        for _ in range(2):
            assert await queue.take() == key(1)
            queue.retry(key(1))
            queue.done(key(1))
        assert await queue.take() == key(1)
    queue.succeed(key(1))
    queue.done(key(1))
    queue.add(key(1))
    taking = asyncio.create_task(queue.take())
    await asyncio.sleep(0.01)
    assert not taking.done()
    taking.cancel()


async def test_what_waits_for_the_pace_comes_when_it_is_time() -> None:
    ends = asyncio.get_running_loop().time() + 0.05
    queue = WorkQueue(lambda: ends - asyncio.get_running_loop().time())
    queue.add(key(1))
    async with asyncio.timeout(2):
        assert await queue.take() == key(1)
    assert asyncio.get_running_loop().time() >= ends - 0.001
