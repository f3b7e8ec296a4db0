"""Discovery, versions and health: how clients find out what there is."""

import pytest

from tests.api.client import Client

pytestmark = pytest.mark.api

AGGREGATED = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"}


async def test_the_core_group_has_one_version(api: Client) -> None:
    found = (await api.get("/api")).expect()
    assert found["kind"] == "APIVersions"
    assert found["versions"] == ["v1"]


async def test_groups_are_listed_with_their_versions(api: Client) -> None:
    found = (await api.get("/apis")).expect()
    assert found["kind"] == "APIGroupList"
    groups = {group["name"]: group for group in found["groups"]}
    assert groups["apps"]["preferredVersion"] == {"groupVersion": "apps/v1", "version": "v1"}
    assert (await api.get("/apis/apps")).expect()["kind"] == "APIGroup"


async def test_resources_are_listed_with_what_can_be_done(api: Client) -> None:
    found = (await api.get("/api/v1")).expect()
    assert found["kind"] == "APIResourceList"
    resources = {one["name"]: one for one in found["resources"]}
    assert resources["pods"]["shortNames"] == ["po"]
    assert resources["pods"]["categories"] == ["all"]
    assert resources["pods"]["namespaced"] is True
    assert {"create", "delete", "get", "list", "patch", "update", "watch"} <= set(resources["pods"]["verbs"])
    assert resources["pods/status"]["verbs"] == ["get", "patch", "update"]
    assert resources["pods/eviction"]["kind"] == "Eviction"
    assert resources["nodes"]["namespaced"] is False
    assert resources["serviceaccounts/token"]["group"] == "authentication.k8s.io"


async def test_everything_can_be_had_in_one_document(api: Client) -> None:
    reply = await api.request("GET", "/apis", headers=AGGREGATED)
    assert reply.headers["Content-Type"] == "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    body = reply.expect()
    assert (body["kind"], body["apiVersion"]) == ("APIGroupDiscoveryList", "apidiscovery.k8s.io/v2")
    apps = next(item for item in body["items"] if item["metadata"]["name"] == "apps")
    deployments = next(one for one in apps["versions"][0]["resources"] if one["resource"] == "deployments")
    assert deployments["responseKind"]["kind"] == "Deployment"
    assert deployments["scope"] == "Namespaced"
    assert deployments["singularResource"] == "deployment"
    assert {part["subresource"] for part in deployments["subresources"]} == {"scale", "status"}


async def test_the_server_is_healthy_and_has_a_version(api: Client) -> None:
    for path in ("/healthz", "/livez", "/readyz"):
        assert (await api.get(path)).expect() == "ok"
    version = (await api.get("/version")).expect()
    assert version["major"] == "1"
    assert version["gitVersion"].startswith("v1.")


async def test_what_is_not_there_is_not_found(api: Client) -> None:
    for path in ("/apis/nothing.example.com", "/apis/apps/v9", "/nothing"):
        assert (await api.get(path)).code == 404


async def test_a_form_that_nobody_offers_is_not_acceptable(api: Client) -> None:
    reply = await api.request("GET", "/api/v1/namespaces/default", headers={"Accept": "text/html"})
    assert reply.expect(406)["reason"] == "NotAcceptable"
