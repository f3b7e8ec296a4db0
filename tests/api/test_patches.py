"""JSON patches, merge patches and strategic merge patches."""

from typing import Any

import pytest

from tests.api.client import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, Client

pytestmark = pytest.mark.api


def maps(namespace: str, name: str = "") -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps" + (f"/{name}" if name else "")


def deployment(name: str) -> dict[str, Any]:
    containers: list[dict[str, Any]] = [
        {"name": "a", "image": "a:1", "env": [{"name": "X", "value": "1"}], "ports": [{"containerPort": 80}]},
        {"name": "b", "image": "b:1"},
    ]
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}}
    return {"metadata": {"name": name}, "spec": {"selector": {"matchLabels": {"app": name}}, "template": template}}


async def test_a_json_patch_changes_single_places(api: Client, namespace: str) -> None:
    annotations = {"b/c": "2", "d": "e"}
    await api.create(maps(namespace), {"metadata": {"name": "a", "annotations": annotations}, "data": {"a": "1"}})
    operations: list[dict[str, Any]] = [
        {"op": "test", "path": "/data/a", "value": "1"},
        {"op": "replace", "path": "/data/a", "value": "3"},
        {"op": "remove", "path": "/metadata/annotations/b~1c"},
        {"op": "add", "path": "/metadata/labels", "value": {"x": "y"}},
        {"op": "copy", "from": "/data/a", "path": "/data/d"},
    ]
    done = (await api.patch(maps(namespace, "a"), JSON_PATCH, operations)).expect()
    assert done["data"] == {"a": "3", "d": "3"}
    assert done["metadata"]["labels"] == {"x": "y"}
    assert done["metadata"]["annotations"] == {"d": "e"}


async def test_a_json_patch_that_does_not_fit_is_refused(api: Client, namespace: str) -> None:
    await api.create(maps(namespace), {"metadata": {"name": "a"}, "data": {"a": "1"}})
    wrong = await api.patch(maps(namespace, "a"), JSON_PATCH, [{"op": "test", "path": "/data/a", "value": "2"}])
    wrong.expect(422)
    assert wrong.reason == "Invalid"
    assert wrong.body["message"] == "the server rejected our request due to an error in our request"
    missing = await api.patch(maps(namespace, "a"), JSON_PATCH, [{"op": "remove", "path": "/data/z"}])
    missing.expect(422)
    broken = await api.patch(maps(namespace, "a"), JSON_PATCH, {"op": "remove"})
    broken.expect(400)


async def test_a_merge_patch_merges_and_null_removes(api: Client, namespace: str) -> None:
    await api.create(maps(namespace), {"metadata": {"name": "a", "labels": {"l": "m"}}, "data": {"a": "1", "b": "2"}})
    change = {"data": {"a": None, "c": "3"}, "metadata": {"labels": None}}
    done = (await api.patch(maps(namespace, "a"), MERGE_PATCH, change)).expect()
    assert done["data"] == {"b": "2", "c": "3"}
    assert "labels" not in done["metadata"]


async def test_a_patch_can_be_about_one_version(api: Client, namespace: str) -> None:
    made = (await api.create(maps(namespace), {"metadata": {"name": "a"}})).expect(201)
    version = made["metadata"]["resourceVersion"]
    (await api.patch(maps(namespace, "a"), MERGE_PATCH, {"data": {"a": "1"}})).expect()
    late = {"metadata": {"resourceVersion": version}, "data": {"a": "2"}}
    assert (await api.patch(maps(namespace, "a"), MERGE_PATCH, late)).expect(409)["reason"] == "Conflict"


async def test_a_patch_needs_an_object_and_a_known_format(api: Client, namespace: str) -> None:
    assert (await api.patch(maps(namespace, "a"), MERGE_PATCH, {})).code == 404
    await api.create(maps(namespace), {"metadata": {"name": "a"}})
    assert (await api.patch(maps(namespace, "a"), "application/json", {})).expect(415)[
        "reason"
    ] == "UnsupportedMediaType"


async def test_a_patch_cannot_rename(api: Client, namespace: str) -> None:
    await api.create(maps(namespace), {"metadata": {"name": "a"}})
    assert (await api.patch(maps(namespace, "a"), MERGE_PATCH, {"metadata": {"name": "b"}})).code == 400


async def test_a_strategic_patch_merges_lists_by_key(api: Client, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    await api.create(path, deployment("web"))
    containers = [{"name": "b", "image": "b:2"}, {"name": "a", "env": [{"name": "Y", "value": "2"}]}]
    change: dict[str, Any] = {"spec": {"template": {"spec": {"containers": containers}}}}
    done = (await api.patch(f"{path}/web", STRATEGIC_PATCH, change)).expect()
    found = done["spec"]["template"]["spec"]["containers"]
    assert [(one["name"], one["image"]) for one in found] == [("b", "b:2"), ("a", "a:1")]
    assert {one["name"]: one["value"] for one in found[1]["env"]} == {"X": "1", "Y": "2"}
    assert done["metadata"]["generation"] == 2


async def test_a_strategic_patch_has_directives(api: Client, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    await api.create(path, deployment("web"))
    containers = [{"name": "a", "$patch": "delete"}]
    change: dict[str, Any] = {"spec": {"template": {"spec": {"containers": containers}}}}
    done = (await api.patch(f"{path}/web", STRATEGIC_PATCH, change)).expect()
    assert [one["name"] for one in done["spec"]["template"]["spec"]["containers"]] == ["b"]
    strategy = {"spec": {"strategy": {"$patch": "replace", "type": "Recreate"}}}
    done = (await api.patch(f"{path}/web", STRATEGIC_PATCH, strategy)).expect()
    assert done["spec"]["strategy"] == {"type": "Recreate"}
    ordered = {
        "$setElementOrder/containers": [{"name": "c"}, {"name": "b"}],
        "containers": [{"name": "c", "image": "c:1"}],
    }
    done = (await api.patch(f"{path}/web", STRATEGIC_PATCH, {"spec": {"template": {"spec": ordered}}})).expect()
    assert [one["name"] for one in done["spec"]["template"]["spec"]["containers"]] == ["c", "b"]


async def test_primitive_lists_merge_and_lose_items(api: Client, namespace: str) -> None:
    await api.create(maps(namespace), {"metadata": {"name": "a", "finalizers": ["example.com/a", "example.com/b"]}})
    more = {"metadata": {"finalizers": ["example.com/c"]}}
    done = (await api.patch(maps(namespace, "a"), STRATEGIC_PATCH, more)).expect()
    assert set(done["metadata"]["finalizers"]) == {"example.com/a", "example.com/b", "example.com/c"}
    less = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/a", "example.com/b", "example.com/c"]}}
    done = (await api.patch(maps(namespace, "a"), STRATEGIC_PATCH, less)).expect()
    assert not done["metadata"].get("finalizers")
