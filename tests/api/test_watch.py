"""Watching: what a watcher sees of changes, from where, and until when."""

import asyncio
from typing import Any

import pytest

from tests.api.client import JSON_PATCH, MERGE_PATCH, Client, Object

pytestmark = pytest.mark.api

TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


def maps(namespace: str, name: str = "") -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps" + (f"/{name}" if name else "")


def seen(events: list[Object]) -> list[tuple[str, str]]:
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]


async def version(api: Client, namespace: str) -> str:
    found = (await api.get(maps(namespace))).expect()
    return str(found["metadata"]["resourceVersion"])


async def collect(api: Client, path: str, **query: Any) -> list[Object]:
    return [event async for event in api.watch(path, **{"timeoutSeconds": "1"} | query)]


async def test_a_watch_continues_where_a_list_ended(api: Client, namespace: str) -> None:
    since = await version(api, namespace)
    made = (await api.create(maps(namespace), {"metadata": {"name": "a"}})).expect(201)
    changed = (await api.patch(maps(namespace, "a"), MERGE_PATCH, {"data": {"k": "v"}})).expect()
    await api.delete(maps(namespace, "a"))
    events = await api.events(maps(namespace), 3, resourceVersion=since)
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    assert events[0]["object"] == made
    assert events[1]["object"] == changed
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(set(versions))
    assert events[2]["object"]["data"] == {"k": "v"}


async def test_a_watch_from_nowhere_begins_with_what_there_is(api: Client, namespace: str) -> None:
    for name in ("b", "a"):
        await api.create(maps(namespace), {"metadata": {"name": name}})
    events = await collect(api, maps(namespace), fieldSelector="metadata.name!=kube-root-ca.crt")
    assert seen(events) == [("ADDED", "a"), ("ADDED", "b")]


async def test_changes_arrive_while_watching(api: Client, namespace: str) -> None:
    since = await version(api, namespace)
    waiting = asyncio.create_task(api.events(maps(namespace), 1, resourceVersion=since))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await api.create(maps(namespace), {"metadata": {"name": "a"}})
    assert seen(await waiting) == [("ADDED", "a")]


async def test_a_watch_of_one_name_sees_no_other(api: Client, namespace: str) -> None:
    since = await version(api, namespace)
    for name in ("a", "b"):
        await api.create(maps(namespace), {"metadata": {"name": name}})
    events = await collect(api, maps(namespace), resourceVersion=since, fieldSelector="metadata.name=b")
    assert seen(events) == [("ADDED", "b")]


async def test_objects_come_and_go_as_they_enter_and_leave_a_selection(api: Client, namespace: str) -> None:
    since = await version(api, namespace)
    await api.create(maps(namespace), {"metadata": {"name": "a", "labels": {"x": "n"}}})
    for label in ("y", "y2", "n"):
        await api.patch(maps(namespace, "a"), MERGE_PATCH, {"metadata": {"labels": {"x": label}}})
    await api.delete(maps(namespace, "a"))
    events = await collect(api, maps(namespace), resourceVersion=since, labelSelector="x in (y,y2)")
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    assert events[2]["object"]["metadata"]["labels"] == {"x": "y2"}
    assert int(events[2]["object"]["metadata"]["resourceVersion"]) > int(
        events[1]["object"]["metadata"]["resourceVersion"]
    )


async def test_a_watch_ends_when_its_time_is_over(api: Client, namespace: str) -> None:
    since = await version(api, namespace)
    async with asyncio.timeout(10):
        assert await collect(api, maps(namespace), resourceVersion=since) == []


async def test_a_watch_list_begins_with_everything_and_says_when_that_was_all(api: Client, namespace: str) -> None:
    await api.create(maps(namespace), {"metadata": {"name": "a"}})
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    events = await api.events(maps(namespace), 2, **query, fieldSelector="metadata.name=a")
    assert [event["type"] for event in events] == ["ADDED", "BOOKMARK"]
    end = events[1]["object"]
    assert end["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert end["kind"] == "ConfigMap"
    assert int(end["metadata"]["resourceVersion"]) >= int(events[0]["object"]["metadata"]["resourceVersion"])


async def test_a_watch_list_must_say_how_fresh(api: Client, namespace: str) -> None:
    reply = await api.get(maps(namespace), watch="true", sendInitialEvents="true")
    reply.expect(422)
    assert reply.causes[0]["field"] == "resourceVersionMatch"
    assert reply.causes[0]["reason"] == "FieldValueForbidden"


async def test_a_watch_can_be_of_tables(api: Client, namespace: str) -> None:
    since = await version(api, namespace)
    for name in ("a", "b"):
        await api.create(maps(namespace), {"metadata": {"name": name}, "data": {"k": "v"}})
    events = [
        event["object"]
        async for event in api.watch(maps(namespace), resourceVersion=since, timeoutSeconds="1", headers=TABLE)
    ]
    assert [table["kind"] for table in events] == ["Table", "Table"]
    assert [column["name"] for column in events[0]["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert events[1]["columnDefinitions"] is None
    assert events[0]["rows"][0]["cells"][:2] == ["a", 1]
    assert events[0]["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


async def test_a_watch_across_namespaces_sees_them_all(api: Client, namespace: str) -> None:
    since = await version(api, namespace)
    await api.create(maps(namespace), {"metadata": {"name": "a", "labels": {"from": namespace}}})
    events = await collect(api, "/api/v1/configmaps", resourceVersion=since, labelSelector=f"from={namespace}")
    assert seen(events) == [("ADDED", "a")]


async def test_finalizers_make_a_deletion_a_modification_first(api: Client, namespace: str) -> None:
    await api.create(maps(namespace), {"metadata": {"name": "a", "finalizers": ["example.com/wait"]}})
    since = await version(api, namespace)
    await api.delete(maps(namespace, "a"))
    await api.patch(maps(namespace, "a"), JSON_PATCH, [{"op": "remove", "path": "/metadata/finalizers"}])
    events = await api.events(maps(namespace), 2, resourceVersion=since)
    assert [event["type"] for event in events] == ["MODIFIED", "DELETED"]
    assert events[0]["object"]["metadata"]["deletionTimestamp"]
