"""The store: what it remembers over restarts, how far back it reaches, and who is told."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from kubeslice.lab.apiserver.storage.database import Database
from kubeslice.lab.apiserver.storage.entry import Change, Entry, Key
from kubeslice.lab.apiserver.storage.store import Overtaken, Store
from kubeslice.lab.apiserver.storage.subscription import Subscription

RESOURCE = "example.com/things"


def thing(name: str, **data: Any) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": name}, "data": data}


def key(name: str, namespace: str = "ns") -> Key:
    return Key(RESOURCE, f"{namespace}/{name}")


def opened(path: Path, capacity: int = 100) -> Store:
    return Store(Database(path / "db"), capacity)


def names(store: Store, namespace: str = "") -> list[str]:
    return [entry.obj["metadata"]["name"] for entry in store.scan(RESOURCE, namespace)]


def test_a_restart_keeps_objects_and_counts_on(tmp_path: Path) -> None:
    store = opened(tmp_path)
    made = store.create(key("a"), thing("a", k=1))
    store.create(key("b"), thing("b"))
    store.delete(key("b"), store.find(key("b")) or made)
    before = store.revision
    store.close()
    again = opened(tmp_path)
    assert names(again) == ["a"]
    assert again.revision == before
    assert again.create(key("c"), thing("c")).revision == before + 1
    assert [change.type for change in again.history.since(RESOURCE, 0)] == ["ADDED", "ADDED", "DELETED", "ADDED"]
    again.close()


def test_a_write_must_know_what_it_replaces(tmp_path: Path) -> None:
    store = opened(tmp_path)
    first = store.create(key("a"), thing("a"))
    with pytest.raises(Overtaken):
        store.create(key("a"), thing("a"))
    second = store.update(key("a"), thing("a", k=1), first)
    with pytest.raises(Overtaken):
        store.update(key("a"), thing("a", k=2), first)
    with pytest.raises(Overtaken):
        store.delete(key("a"), first)
    store.delete(key("a"), second)
    assert store.find(key("a")) is None
    store.close()


def test_namespaces_are_scanned_apart(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for namespace in ("a", "a-b", "b"):
        store.create(key("x", namespace), thing(f"x-{namespace}"))
    assert names(store, "a") == ["x-a"]
    assert names(store, "a-b") == ["x-a-b"]
    assert len(names(store)) == 3
    store.close()


def test_the_past_is_there_as_far_as_history_reaches(tmp_path: Path) -> None:
    store = opened(tmp_path, capacity=3)
    entry = store.create(key("a"), thing("a", n=0))
    created = entry.revision
    for number in (1, 2):
        entry = store.update(key("a"), thing("a", n=number), entry)
    assert [found.obj["data"]["n"] for _, found in store.scan_at(RESOURCE, created)] == [0]
    assert store.scan_at(RESOURCE, created - 1) == []
    assert store.history.oldest < created
    store.create(key("b"), thing("b"))
    assert store.history.oldest == created
    assert [name for name, _ in store.scan_at(RESOURCE, created + 2)] == ["ns/a"]
    store.close()


async def test_subscribers_hear_of_their_resource_only(tmp_path: Path) -> None:
    store = opened(tmp_path)
    mine = store.subscribe(RESOURCE)
    store.create(Key("example.com/others", "a"), thing("a"))
    store.create(key("a"), thing("a"))
    assert [change.key for change in await mine.batch(1)] == [key("a")]
    assert await mine.batch(0.01) == []
    store.unsubscribe(RESOURCE, mine)
    store.create(key("b"), thing("b"))
    assert await mine.batch(0.01) == []
    store.close()


async def test_a_reader_can_wait_for_a_revision(tmp_path: Path) -> None:
    store = opened(tmp_path)
    waiting = asyncio.create_task(store.reached(store.revision + 2, 5))
    store.create(key("a"), thing("a"))
    await asyncio.sleep(0)
    assert not waiting.done()
    store.create(key("b"), thing("b"))
    assert await waiting
    assert not await store.reached(store.revision + 1, 0.01)
    store.close()


def test_another_form_is_no_change(tmp_path: Path) -> None:
    store = opened(tmp_path)
    made = store.create(key("a"), thing("a"))
    store.rewrite(key("a"), made.copy() | {"data": {"default": True}})
    revision = store.revision
    store.close()
    again = opened(tmp_path)
    found = again.find(key("a"))
    assert found is not None
    assert (found.obj["data"], found.revision, again.revision) == ({"default": True}, made.revision, revision)
    again.close()


async def test_a_change_that_comes_as_the_wait_ends_is_not_taken_for_quiet() -> None:
    subscription, loop = Subscription(), asyncio.get_running_loop()
    change = Change(7, "ADDED", Key("/secrets", "a/x"), Entry(b"{}", 7, {}), None)
    waiting = asyncio.create_task(subscription.batch(0.01))
    await asyncio.sleep(0)
    loop.call_later(0.011, subscription.push, change)
    time.sleep(0.03)  # noqa: ASYNC251 - a loop that is busy: both timers are due when it comes round
    assert await waiting == [change]
