"""Creating, reading, updating and deleting objects."""

import pytest

from tests.api.client import JSON_PATCH, MERGE_PATCH, Client

pytestmark = pytest.mark.api


def maps(namespace: str, name: str = "") -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps" + (f"/{name}" if name else "")


async def test_a_created_object_has_what_the_server_decides(api: Client, namespace: str) -> None:
    made = (await api.create(maps(namespace), {"metadata": {"name": "a"}, "data": {"k": "v"}})).expect(201)
    assert made["kind"] == "ConfigMap"
    assert made["apiVersion"] == "v1"
    assert made["metadata"]["namespace"] == namespace
    assert len(made["metadata"]["uid"]) == 36
    assert made["metadata"]["creationTimestamp"].endswith("Z")
    assert int(made["metadata"]["resourceVersion"]) > 0
    assert (await api.get(maps(namespace, "a"))).expect() == made


async def test_an_owner_is_named_completely(api: Client, namespace: str) -> None:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "b"}
    refused = await api.create(maps(namespace), {"metadata": {"name": "a", "ownerReferences": [owner]}})
    refused.expect(422)
    assert [cause["field"] for cause in refused.causes] == ["metadata.ownerReferences.uid"]


async def test_a_second_object_of_a_name_is_refused(api: Client, namespace: str) -> None:
    await api.create(maps(namespace), {"metadata": {"name": "a"}})
    again = await api.create(maps(namespace), {"metadata": {"name": "a"}})
    assert again.expect(409) == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'configmaps "a" already exists',
        "reason": "AlreadyExists",
        "details": {"name": "a", "kind": "configmaps"},
        "code": 409,
    }


async def test_a_name_can_be_generated(api: Client, namespace: str) -> None:
    made = (await api.create(maps(namespace), {"metadata": {"generateName": "gen-"}})).expect(201)
    assert made["metadata"]["name"].startswith("gen-")
    assert len(made["metadata"]["name"]) == len("gen-") + 5


async def test_an_object_needs_a_name(api: Client, namespace: str) -> None:
    reply = await api.create(maps(namespace), {"metadata": {}})
    reply.expect(422)
    assert reply.reason == "Invalid"
    assert reply.causes[0]["field"] == "metadata.name"
    assert reply.causes[0]["reason"] == "FieldValueRequired"


async def test_what_is_missing_is_not_found(api: Client, namespace: str) -> None:
    reply = await api.get(maps(namespace, "nothing"))
    assert reply.expect(404)["message"] == 'configmaps "nothing" not found'
    assert reply.reason == "NotFound"
    assert reply.body["details"] == {"name": "nothing", "kind": "configmaps"}
    assert (await api.get("/apis/nothing.example.com/v1/things")).code == 404
    assert (await api.get("/api/v1/nothings")).code == 404


async def test_nothing_is_created_in_a_namespace_that_is_missing(api: Client, name: str) -> None:
    reply = await api.create(maps(name), {"metadata": {"name": "a"}})
    assert reply.expect(404)["message"] == f'namespaces "{name}" not found'


async def test_the_namespace_of_body_and_path_must_agree(api: Client, namespace: str) -> None:
    reply = await api.create(maps(namespace), {"metadata": {"name": "a", "namespace": "other"}})
    expected = "the namespace of the provided object does not match the namespace sent on the request"
    assert reply.expect(400)["message"] == expected


async def test_the_name_of_body_and_path_must_agree(api: Client, namespace: str) -> None:
    await api.create(maps(namespace), {"metadata": {"name": "a"}})
    reply = await api.update(maps(namespace, "a"), {"metadata": {"name": "b"}})
    assert reply.expect(400)["message"] == "the name of the object (b) does not match the name on the URL (a)"


async def test_an_object_of_another_kind_is_refused(api: Client, namespace: str) -> None:
    reply = await api.create(maps(namespace), {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}})
    assert reply.code == 400
    assert reply.reason == "BadRequest"


async def test_an_update_of_an_old_state_is_a_conflict(api: Client, namespace: str) -> None:
    first = (await api.create(maps(namespace), {"metadata": {"name": "a"}})).expect(201)
    (await api.update(maps(namespace, "a"), first | {"data": {"k": "1"}})).expect()
    late = await api.update(maps(namespace, "a"), first | {"data": {"k": "2"}})
    assert late.expect(409)["message"] == (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to'
        " the latest version and try again"
    )
    assert late.reason == "Conflict"
    assert late.body["details"] == {"name": "a", "kind": "configmaps"}


async def test_an_update_without_a_version_replaces_what_is_there(api: Client, namespace: str) -> None:
    await api.create(maps(namespace), {"metadata": {"name": "a"}, "data": {"k": "1", "l": "2"}})
    done = (await api.update(maps(namespace, "a"), {"metadata": {"name": "a"}, "data": {"k": "3"}})).expect()
    assert done["data"] == {"k": "3"}


async def test_an_update_that_changes_nothing_is_no_new_version(api: Client, namespace: str) -> None:
    first = (await api.create(maps(namespace), {"metadata": {"name": "a"}, "data": {"k": "1"}})).expect(201)
    same = (await api.update(maps(namespace, "a"), first)).expect()
    assert same["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_an_update_is_about_one_object_and_not_its_successor(api: Client, namespace: str) -> None:
    first = (await api.create(maps(namespace), {"metadata": {"name": "a"}})).expect(201)
    changed = {"metadata": {"name": "a", "uid": "00000000-0000-0000-0000-000000000000"}}
    reply = await api.update(maps(namespace, "a"), changed)
    reply.expect(409)
    assert f"UID in object meta: {first['metadata']['uid']}" in reply.body["message"]


async def test_a_missing_object_is_not_made_by_an_update(api: Client, namespace: str) -> None:
    assert (await api.update(maps(namespace, "a"), {"metadata": {"name": "a"}})).code == 404


async def test_a_dry_run_changes_nothing(api: Client, namespace: str) -> None:
    made = (await api.create(maps(namespace), {"metadata": {"name": "a"}}, dryRun="All")).expect(201)
    assert made["metadata"]["name"] == "a"
    assert (await api.get(maps(namespace, "a"))).code == 404


async def test_unknown_fields_are_dropped_warned_of_or_refused(api: Client, namespace: str) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "spec": {}}
    strict = await api.create(maps(namespace), body, fieldValidation="Strict")
    assert 'strict decoding error: unknown field "spec"' in strict.expect(400)["message"]
    made = await api.create(maps(namespace), body)
    assert "spec" not in made.expect(201)
    assert made.headers["Warning"] == '299 - "unknown field \\"spec\\""'


async def test_a_deleted_object_is_gone(api: Client, namespace: str) -> None:
    made = (await api.create(maps(namespace), {"metadata": {"name": "a"}})).expect(201)
    gone = (await api.delete(maps(namespace, "a"))).expect()
    assert gone["kind"] == "Status"
    assert gone["status"] == "Success"
    assert gone["details"] == {"name": "a", "kind": "configmaps", "uid": made["metadata"]["uid"]}
    assert (await api.delete(maps(namespace, "a"))).code == 404


async def test_a_deletion_can_name_the_state_it_is_about(api: Client, namespace: str) -> None:
    made = (await api.create(maps(namespace), {"metadata": {"name": "a"}})).expect(201)
    wrong = await api.delete(maps(namespace, "a"), {"preconditions": {"uid": "other"}})
    wrong.expect(409)
    assert "the UID in the precondition (other) does not match the UID in record" in wrong.body["message"]
    right = {"preconditions": {"resourceVersion": made["metadata"]["resourceVersion"]}}
    (await api.delete(maps(namespace, "a"), right)).expect()


async def test_finalizers_keep_an_object_until_they_are_gone(api: Client, namespace: str) -> None:
    await api.create(maps(namespace), {"metadata": {"name": "a", "finalizers": ["example.com/wait"]}})
    waiting = (await api.delete(maps(namespace, "a"))).expect()
    assert waiting["kind"] == "ConfigMap"
    assert waiting["metadata"]["deletionTimestamp"]
    assert waiting["metadata"]["deletionGracePeriodSeconds"] == 0
    more = {"metadata": {"finalizers": ["example.com/wait", "example.com/new"]}}
    refused = await api.patch(maps(namespace, "a"), MERGE_PATCH, more)
    refused.expect(422)
    assert refused.causes[0]["field"] == "metadata.finalizers"
    assert refused.causes[0]["reason"] == "FieldValueForbidden"
    assert "no new finalizers can be added if the object is being deleted" in refused.causes[0]["message"]
    (await api.patch(maps(namespace, "a"), MERGE_PATCH, {"metadata": {"finalizers": None}})).expect()
    assert (await api.get(maps(namespace, "a"))).code == 404


async def test_foreground_and_orphan_deletion_are_left_to_the_garbage_collector(api: Client, namespace: str) -> None:
    for policy, finalizer in (("Foreground", "foregroundDeletion"), ("Orphan", "orphan")):
        name = policy.lower()
        await api.create(maps(namespace), {"metadata": {"name": name}})
        waiting = (await api.delete(maps(namespace, name), {"propagationPolicy": policy})).expect()
        assert waiting["metadata"]["finalizers"] == [finalizer]
        remove = [{"op": "remove", "path": "/metadata/finalizers"}]
        (await api.patch(maps(namespace, name), JSON_PATCH, remove)).expect()
        assert (await api.get(maps(namespace, name))).code == 404


async def test_a_collection_is_deleted_by_selector(api: Client, namespace: str) -> None:
    for name, label in (("a", "x"), ("b", "x"), ("c", "y")):
        await api.create(maps(namespace), {"metadata": {"name": name, "labels": {"l": label}}})
    deleted = (await api.delete(maps(namespace), labelSelector="l=x")).expect()
    assert {one["metadata"]["name"] for one in deleted["items"]} == {"a", "b"}
    left = (await api.get(maps(namespace))).expect()["items"]
    assert "c" in {one["metadata"]["name"] for one in left}
    assert not {"a", "b"} & {one["metadata"]["name"] for one in left}


async def test_a_method_that_a_resource_does_not_have_is_refused(api: Client, namespace: str) -> None:
    reply = await api.update(maps(namespace), {"metadata": {"name": "a"}})
    assert reply.expect(405)["reason"] == "MethodNotAllowed"


async def test_a_body_that_is_no_json_is_refused(api: Client, namespace: str) -> None:
    assert (await api.request("POST", maps(namespace), "{")).code == 400
    assert (await api.request("POST", maps(namespace), "x", kind="text/plain")).code == 415


async def test_yaml_is_understood(api: Client, namespace: str) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: 'v'\n"
    made = (await api.request("POST", maps(namespace), text, kind="application/yaml")).expect(201)
    assert made["data"] == {"k": "v"}
