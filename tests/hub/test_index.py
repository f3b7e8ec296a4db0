"""Indexes hold what the informer holds, whatever happened on the way."""

import asyncio
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.hub.index import Index, Versions
from kubeslice.kube.api import Api, Object
from kubeslice.kube.informer import Informer
from kubeslice.model.ids import OWN, Key
from kubeslice.model.resources import CONFIGMAPS
from kubeslice.runtime.sources import Source
from tests.kube.fake_collection import Collection

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "drop", "compact", "disconnect", "settle"]), st.sampled_from("abc"), st.integers(0, 2)
    )
)


def groups(obj: Object) -> list[int]:
    """Belong to as many groups as the value says: none, one or two."""
    return list(range(obj["value"]))


async def settle(collection: Collection, informer: Informer) -> None:
    async with asyncio.timeout(5):
        while {n: o["value"] for n, o in collection.objects.items()} != known(informer):
            await asyncio.sleep(0)


def known(informer: Informer) -> dict[str, Any]:
    return {obj["metadata"]["name"]: obj["value"] for obj in informer.items()}


async def play(steps: list[tuple[str, str, int]]) -> None:
    collection = Collection()
    informer = Informer(cast("Api", collection), CONFIGMAPS)
    index = Index(informer, groups)
    running = asyncio.create_task(informer.run())
    try:
        for step, name, value in steps:
            if step == "put":
                collection.put(name, value)
            elif step == "drop":
                collection.drop(name)
            elif step == "compact":
                collection.compact()
                collection.disconnect()
            elif step == "disconnect":
                collection.disconnect()
            else:
                await settle(collection, informer)
        await settle(collection, informer)
    finally:
        running.cancel()
    for group in range(3):
        wanted = [obj for obj in informer.items() if group in groups(obj)]
        assert index.of(group) == wanted


@given(STEPS)
def test_an_index_is_the_grouping_of_what_is_there(steps: list[tuple[str, str, int]]) -> None:
    asyncio.run(play(steps))


@pytest.mark.parametrize(("before", "after", "woken"), [(1, 1, 0), (1, 2, 1)])
def test_a_trigger_wakes_only_for_its_aspect(before: int, after: int, woken: int) -> None:
    informer = Informer(cast("Api", Collection()), CONFIGMAPS)
    keys: list[Key] = []
    Source(informer, lambda obj: [Key(OWN, "", obj["metadata"]["name"])], lambda obj: obj["value"]).connect(keys.append)
    first: Object = {"metadata": {"name": "a", "uid": "u", "resourceVersion": "1"}, "value": before}
    informer._remember(first)
    keys.clear()
    informer._remember({**first, "metadata": {**first["metadata"], "resourceVersion": "2"}, "value": after})
    assert len(keys) == woken


def test_a_version_counts_what_changes_an_aspect_of_a_group() -> None:
    informer = Informer(cast("Api", Collection()), CONFIGMAPS)
    versions = Versions(informer, groups, lambda obj: obj["value"])
    seen = [(versions.of(0), versions.of(1))]
    for version, value in enumerate([1, 1, 2, 2, 0]):
        informer._remember({"metadata": {"name": "a", "uid": "u", "resourceVersion": str(version)}, "value": value})
        seen.append((versions.of(0), versions.of(1)))
    assert seen == [(0, 0), (1, 0), (1, 0), (2, 1), (2, 1), (3, 2)]
