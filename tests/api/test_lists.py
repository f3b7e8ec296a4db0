"""Listing: selectors, pages and resourceVersions."""

import pytest

from tests.api.client import MERGE_PATCH, Client, Object

pytestmark = pytest.mark.api


def maps(namespace: str, name: str = "") -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps" + (f"/{name}" if name else "")


async def fill(api: Client, namespace: str, *names: str) -> None:
    for name in names:
        labels = {"name": name, "test": "list"}
        (await api.create(maps(namespace), {"metadata": {"name": name, "labels": labels}})).expect(201)


def names(body: Object) -> list[str]:
    return [one["metadata"]["name"] for one in body["items"]]


async def test_a_list_is_in_the_order_of_names(api: Client, namespace: str) -> None:
    await fill(api, namespace, "b", "c", "a")
    found = (await api.get(maps(namespace), labelSelector="test=list")).expect()
    assert names(found) == ["a", "b", "c"]
    assert found["kind"] == "ConfigMapList"
    assert found["apiVersion"] == "v1"


async def test_items_of_builtin_lists_do_not_repeat_their_kind(api: Client, namespace: str) -> None:
    await fill(api, namespace, "a")
    item = (await api.get(maps(namespace), labelSelector="test=list")).expect()["items"][0]
    assert "kind" not in item
    assert "apiVersion" not in item


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("name=a", ["a"]),
        ("name==a", ["a"]),
        ("name!=a,test=list", ["b", "c"]),
        ("name in (a, c)", ["a", "c"]),
        ("name notin (a, c),test", ["b"]),
        ("test,!missing", ["a", "b", "c"]),
        ("missing", []),
    ],
)
async def test_label_selectors(api: Client, namespace: str, selector: str, expected: list[str]) -> None:
    await fill(api, namespace, "a", "b", "c")
    assert names((await api.get(maps(namespace), labelSelector=selector)).expect()) == expected


@pytest.mark.parametrize("selector", ["a=b=c", "name in a", "(", "-a=b", "a in (b"])
async def test_label_selectors_that_make_no_sense(api: Client, namespace: str, selector: str) -> None:
    assert (await api.get(maps(namespace), labelSelector=selector)).expect(400)["reason"] == "BadRequest"


async def test_field_selectors(api: Client, namespace: str) -> None:
    await fill(api, namespace, "a", "b")
    found = await api.get(maps(namespace), fieldSelector="metadata.name=b")
    assert names(found.expect()) == ["b"]
    everywhere = await api.get("/api/v1/configmaps", fieldSelector=f"metadata.namespace={namespace},metadata.name!=a")
    assert "b" in names(everywhere.expect())
    assert "a" not in names(everywhere.body)
    unknown = await api.get(maps(namespace), fieldSelector="spec.foo=b")
    expected = '"spec.foo" is not a known field selector: only "metadata.name", "metadata.namespace"'
    assert unknown.expect(400)["message"] == expected


async def test_pages_show_one_moment(api: Client, namespace: str) -> None:
    await fill(api, namespace, "a", "b", "c", "d")
    first = (await api.get(maps(namespace), labelSelector="test=list", limit="2")).expect()
    assert names(first) == ["a", "b"]
    token = first["metadata"]["continue"]
    await fill(api, namespace, "c1")
    await api.delete(maps(namespace, "d"))
    query = {"continue": token}
    second = (await api.get(maps(namespace), labelSelector="test=list", limit="3", **query)).expect()
    assert names(second) == ["c", "d"]
    assert "continue" not in second["metadata"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_a_full_page_goes_on_while_anything_is_left_to_look_at(api: Client, namespace: str) -> None:
    await fill(api, namespace, "a")
    (await api.create(maps(namespace), {"metadata": {"name": "z"}})).expect(201)
    first = (await api.get(maps(namespace), labelSelector="test=list", limit="1")).expect()
    assert names(first) == ["a"]
    query = {"continue": first["metadata"]["continue"]}
    second = (await api.get(maps(namespace), labelSelector="test=list", limit="1", **query)).expect()
    assert names(second) == []
    assert "continue" not in second["metadata"]


async def test_a_page_says_how_much_is_left(api: Client, namespace: str) -> None:
    await fill(api, namespace, "a", "b", "c")
    total = len((await api.get(maps(namespace))).expect()["items"])
    first = (await api.get(maps(namespace), limit="1")).expect()
    assert first["metadata"]["remainingItemCount"] == total - 1


async def test_a_limit_is_a_number(api: Client, namespace: str) -> None:
    refused = await api.get(maps(namespace), limit="x")
    assert refused.expect(400)["message"] == 'strconv.ParseInt: parsing "x": invalid syntax'


async def test_a_page_token_that_nobody_gave_out_is_refused(api: Client, namespace: str) -> None:
    assert (await api.get(maps(namespace), **{"continue": "abc"})).code == 400


async def test_a_list_can_be_of_an_exact_moment(api: Client, namespace: str) -> None:
    await fill(api, namespace, "a")
    then = (await api.get(maps(namespace))).expect()["metadata"]["resourceVersion"]
    await api.patch(maps(namespace, "a"), MERGE_PATCH, {"data": {"k": "v"}})
    await fill(api, namespace, "b")
    query = {"resourceVersion": then, "resourceVersionMatch": "Exact", "labelSelector": "test=list"}
    past = (await api.get(maps(namespace), **query)).expect()
    assert names(past) == ["a"]
    assert "data" not in past["items"][0]
    assert past["metadata"]["resourceVersion"] == then


async def test_a_moment_in_the_future_is_waited_for_in_vain(api: Client, namespace: str) -> None:
    reply = await api.get(maps(namespace), resourceVersion="999999999")
    assert reply.expect(504)["reason"] == "Timeout"
    assert reply.causes[0]["reason"] == "ResourceVersionTooLarge"


async def test_how_a_version_is_meant_has_rules(api: Client, namespace: str) -> None:
    for query in (
        {"resourceVersionMatch": "Exact"},
        {"resourceVersionMatch": "Exact", "resourceVersion": "0"},
        {"resourceVersionMatch": "Sometime", "resourceVersion": "1"},
    ):
        (await api.get(maps(namespace), **query)).expect(422)


async def test_lists_can_be_metadata_only(api: Client, namespace: str) -> None:
    await fill(api, namespace, "a")
    accept = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
    found = (await api.request("GET", maps(namespace), headers=accept, labelSelector="test=list")).expect()
    assert found["kind"] == "PartialObjectMetadataList"
    assert found["items"][0]["metadata"]["name"] == "a"
    assert "data" not in found["items"][0]
