"""The informer's cache ends equal to the collection and subscribers can rebuild it, whatever goes wrong between."""

import asyncio
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from kubeslice.kube.api import Api, Object
from kubeslice.kube.informer import Informer
from kubeslice.model.resources import CONFIGMAPS
from tests.kube.fake_collection import Collection

NAMES = st.sampled_from(["a", "b", "c"])
STEPS = st.one_of(
    st.tuples(st.just("put"), NAMES, st.integers(0, 9)),
    st.tuples(st.just("drop"), NAMES),
    st.tuples(st.sampled_from(["compact", "disconnect", "pause", "outage"])),
)


class Mirror:
    """Rebuilds a collection from what a subscriber is told, and refuses histories that contradict themselves."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}

    def __call__(self, old: Object | None, new: Object | None) -> None:
        name = cast("Object", old or new)["metadata"]["name"]
        assert (old is None) == (name not in self.objects), f"{name}: told of {old} while knowing {self.objects}"
        if new is None:
            del self.objects[name]
        else:
            self.objects[name] = new


async def _perform(collection: Collection, step: tuple[Any, ...]) -> None:
    match step:
        case ("put", name, value):
            collection.put(name, value)
        case ("drop", name):
            collection.drop(name)
        case ("compact",):
            collection.compact()
            collection.disconnect()
        case ("disconnect",):
            collection.disconnect()
        case ("pause",):
            await asyncio.sleep(0.001)
        case ("outage",):
            collection.is_down = True
            collection.disconnect()
            await asyncio.sleep(0.001)
            collection.is_down = False


async def _converges(steps: list[tuple[Any, ...]]) -> None:
    collection, mirror = Collection(), Mirror()
    informer = Informer(cast("Api", collection), CONFIGMAPS)
    informer.subscribe(mirror)
    task = asyncio.create_task(informer.run())
    try:
        for step in steps:
            await _perform(collection, step)
        async with asyncio.timeout(5):
            while {name: obj["value"] for name, obj in mirror.objects.items()} != {
                name: obj["value"] for name, obj in collection.objects.items()
            }:
                await asyncio.sleep(0.005)
        assert [item["metadata"]["uid"] for item in informer.items()] == [
            collection.objects[name]["metadata"]["uid"] for name in sorted(collection.objects)
        ]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=14))
def test_converges_whatever_happens(steps: list[tuple[Any, ...]]) -> None:
    asyncio.run(_converges(steps))


def test_deletions_during_an_outage_are_emitted() -> None:
    asyncio.run(_converges([("put", "a", 1), ("pause",), ("outage",), ("drop", "a"), ("compact",)]))


def test_an_object_that_was_replaced_unseen_is_a_deletion_and_an_addition() -> None:
    async def scenario() -> None:
        collection = Collection()
        told: list[tuple[bool, bool]] = []
        informer = Informer(cast("Api", collection), CONFIGMAPS)
        informer.subscribe(lambda old, new: told.append((old is not None, new is not None)))
        collection.put("a", 1)
        task = asyncio.create_task(informer.run())
        await informer.synced.wait()
        collection.drop("a")
        collection.put("a", 2)
        collection.compact()
        collection.disconnect()
        async with asyncio.timeout(5):
            while len(told) < 3:
                await asyncio.sleep(0.005)
        task.cancel()
        assert told == [(False, True), (True, False), (False, True)]

    asyncio.run(scenario())
