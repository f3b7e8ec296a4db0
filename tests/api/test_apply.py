"""Server-side apply: who owns what, and what happens when two disagree."""

from typing import Any

import pytest

from tests.api.client import MERGE_PATCH, Client

pytestmark = pytest.mark.api


def config(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def path(namespace: str, name: str = "a") -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps/{name}"


def deployments(namespace: str, name: str = "web") -> str:
    return f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"


def deployment(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": list(containers)}}
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": template} | spec
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def owned(obj: dict[str, Any]) -> dict[tuple[str, str], Any]:
    return {(one["manager"], one["operation"]): one["fieldsV1"] for one in obj["metadata"].get("managedFields", [])}


async def test_an_apply_creates_what_is_missing(api: Client, namespace: str) -> None:
    made = (await api.apply(path(namespace), config("a", k="v"), "one")).expect(201)
    assert made["data"] == {"k": "v"}
    assert owned(made) == {("one", "Apply"): {"f:data": {"f:k": {}}}}
    entry = made["metadata"]["managedFields"][0]
    assert entry["apiVersion"] == "v1"
    assert entry["fieldsType"] == "FieldsV1"
    assert entry["time"] == made["metadata"]["creationTimestamp"]


async def test_applying_again_changes_nothing(api: Client, namespace: str) -> None:
    made = (await api.apply(path(namespace), config("a", k="v"), "one")).expect(201)
    again = (await api.apply(path(namespace), config("a", k="v"), "one")).expect(200)
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_an_apply_needs_a_manager_and_a_kind(api: Client, namespace: str) -> None:
    assert (await api.patch(path(namespace), "application/apply-patch+yaml", config("a"))).code in (400, 422)
    nameless = {"metadata": {"name": "a"}}
    assert (await api.apply(path(namespace), nameless, "one")).code == 400


async def test_a_field_no_longer_applied_goes_away(api: Client, namespace: str) -> None:
    await api.apply(path(namespace), config("a", k="v", l="w"), "one")
    done = (await api.apply(path(namespace), config("a", k="v"), "one")).expect()
    assert done["data"] == {"k": "v"}
    assert owned(done) == {("one", "Apply"): {"f:data": {"f:k": {}}}}


async def test_fields_of_others_stay(api: Client, namespace: str) -> None:
    await api.apply(path(namespace), config("a", k="v"), "one")
    await api.apply(path(namespace), config("a", l="w"), "two")
    done = (await api.apply(path(namespace), config("a"), "one")).expect()
    assert done["data"] == {"l": "w"}
    assert owned(done) == {("one", "Apply"): {"f:data": {}}, ("two", "Apply"): {"f:data": {"f:l": {}}}}


async def test_two_who_agree_share_a_field(api: Client, namespace: str) -> None:
    await api.apply(path(namespace), config("a", k="v"), "one")
    both = (await api.apply(path(namespace), config("a", k="v"), "two")).expect()
    assert set(owned(both)) == {("one", "Apply"), ("two", "Apply")}
    left = (await api.apply(path(namespace), config("a"), "one")).expect()
    assert left["data"] == {"k": "v"}


async def test_two_who_disagree_are_a_conflict(api: Client, namespace: str) -> None:
    await api.apply(path(namespace), config("a", k="v"), "one")
    refused = await api.apply(path(namespace), config("a", k="w"), "two")
    assert refused.expect(409)["reason"] == "Conflict"
    assert refused.body["message"] == 'Apply failed with 1 conflict: conflict with "one": .data.k'
    assert refused.causes == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "one"', "field": ".data.k"},
    ]


async def test_several_conflicts_are_listed_by_manager(api: Client, namespace: str) -> None:
    await api.apply(path(namespace), config("a", k="v", l="v"), "one")
    await api.apply(path(namespace), config("a", m="v"), "two")
    refused = await api.apply(path(namespace), config("a", k="w", l="w", m="w"), "three")
    assert refused.expect(409)["message"] == (
        'Apply failed with 3 conflicts: conflicts with "one":\n- .data.k\n- .data.l\nconflicts with "two":\n- .data.m'
    )


async def test_a_conflict_can_be_forced(api: Client, namespace: str) -> None:
    await api.apply(path(namespace), config("a", k="v"), "one")
    done = (await api.apply(path(namespace), config("a", k="w"), "two", force="true")).expect()
    assert done["data"] == {"k": "w"}
    assert owned(done) == {("two", "Apply"): {"f:data": {"f:k": {}}}}


async def test_an_update_takes_what_it_changes(api: Client, namespace: str) -> None:
    await api.apply(path(namespace), config("a", k="v", l="v"), "one")
    done = (await api.patch(path(namespace), MERGE_PATCH, {"data": {"k": "w"}}, fieldManager="two")).expect()
    assert owned(done) == {
        ("one", "Apply"): {"f:data": {"f:l": {}}},
        ("two", "Update"): {"f:data": {"f:k": {}}},
    }
    refused = await api.apply(path(namespace), config("a", k="x", l="v"), "one")
    assert refused.expect(409)["message"] == 'Apply failed with 1 conflict: conflict with "two" using v1: .data.k'


async def test_a_created_object_is_owned_by_its_creator(api: Client, namespace: str) -> None:
    body = {"metadata": {"name": "a", "labels": {"x": "y"}}, "data": {"k": "v"}}
    made = (await api.create(f"/api/v1/namespaces/{namespace}/configmaps", body)).expect(201)
    assert owned(made) == {
        ("behaviour", "Update"): {
            "f:data": {".": {}, "f:k": {}},
            "f:metadata": {"f:labels": {".": {}, "f:x": {}}},
        }
    }


async def test_list_items_are_owned_by_their_keys(api: Client, namespace: str) -> None:
    port = {"containerPort": 80}
    await api.apply(deployments(namespace), deployment({"name": "a", "image": "a:1", "ports": [port]}), "one")
    sidecar = deployment({"name": "b", "image": "b:1"})
    del sidecar["spec"]["selector"], sidecar["spec"]["template"]["metadata"]
    done = (await api.apply(deployments(namespace), sidecar, "two")).expect()
    assert [one["name"] for one in done["spec"]["template"]["spec"]["containers"]] == ["a", "b"]
    fields = owned(done)[("one", "Apply")]["f:spec"]["f:template"]["f:spec"]["f:containers"]
    assert fields == {
        'k:{"name":"a"}': {
            ".": {},
            "f:image": {},
            "f:name": {},
            "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
        }
    }
    done = (await api.apply(deployments(namespace), deployment({"name": "c", "image": "c:1"}), "one")).expect()
    assert [one["name"] for one in done["spec"]["template"]["spec"]["containers"]] == ["b", "c"]


async def test_a_conflict_inside_a_list_names_the_item(api: Client, namespace: str) -> None:
    await api.apply(deployments(namespace), deployment({"name": "a", "image": "a:1"}), "one")
    refused = await api.apply(deployments(namespace), deployment({"name": "a", "image": "a:2"}), "two")
    expected = 'Apply failed with 1 conflict: conflict with "one": .spec.template.spec.containers[name="a"].image'
    assert refused.expect(409)["message"] == expected


async def test_defaults_belong_to_nobody_who_applies(api: Client, namespace: str) -> None:
    done = (await api.apply(deployments(namespace), deployment({"name": "a", "image": "a:1"}), "one")).expect(201)
    assert done["spec"]["replicas"] == 1
    assert "f:replicas" not in owned(done)[("one", "Apply")]["f:spec"]
    scaled = deployment({"name": "a", "image": "a:1"}, replicas=3)
    done = (await api.apply(deployments(namespace), scaled, "two")).expect()
    assert done["spec"]["replicas"] == 3


async def test_status_is_owned_apart(api: Client, namespace: str) -> None:
    await api.apply(deployments(namespace), deployment({"name": "a", "image": "a:1"}), "one")
    status = {"metadata": {"name": "web"}, "status": {"replicas": 1}, "apiVersion": "apps/v1", "kind": "Deployment"}
    done = (await api.apply(deployments(namespace) + "/status", status, "one")).expect()
    entries = {one.get("subresource", ""): one["fieldsV1"] for one in done["metadata"]["managedFields"]}
    assert entries["status"] == {"f:status": {"f:replicas": {}}}
    assert "f:status" not in entries[""]


async def test_ownership_can_be_reset(api: Client, namespace: str) -> None:
    await api.apply(path(namespace), config("a", k="v"), "one")
    reset: dict[str, Any] = {"metadata": {"managedFields": [{}]}}
    done = (await api.patch(path(namespace), MERGE_PATCH, reset)).expect()
    assert "managedFields" not in done["metadata"]
    done = (await api.apply(path(namespace), config("a", k="v"), "one")).expect()
    assert ("before-first-apply", "Update") in owned(done)
