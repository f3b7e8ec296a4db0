"""Namespaces: how they begin, how they end, and what happens in between."""

import pytest

from tests.api.client import Client

pytestmark = pytest.mark.api


async def test_there_are_namespaces_from_the_first_moment(api: Client) -> None:
    found = (await api.get("/api/v1/namespaces")).expect()
    assert {"default", "kube-system", "kube-public", "kube-node-lease"} <= {
        one["metadata"]["name"] for one in found["items"]
    }


async def test_a_namespace_is_active_and_carries_its_name(api: Client, namespace: str) -> None:
    made = (await api.get(f"/api/v1/namespaces/{namespace}")).expect()
    assert made["metadata"]["labels"]["kubernetes.io/metadata.name"] == namespace
    assert made["spec"] == {"finalizers": ["kubernetes"]}
    assert made["status"]["phase"] == "Active"


async def test_the_namespaces_of_the_system_cannot_be_deleted(api: Client) -> None:
    for name in ("default", "kube-system"):
        reply = await api.delete(f"/api/v1/namespaces/{name}")
        assert reply.expect(403)["message"] == f'namespaces "{name}" is forbidden: this namespace may not be deleted'


async def test_a_namespace_ends_when_it_is_declared_empty(api: Client, name: str) -> None:
    path = f"/api/v1/namespaces/{name}"
    # Our own finalizer keeps the namespace, whoever else empties it meanwhile.
    (await api.create("/api/v1/namespaces", {"metadata": {"name": name, "finalizers": ["example.com/wait"]}})).expect(
        201
    )
    going = (await api.delete(path)).expect()
    assert going["status"]["phase"] == "Terminating"
    assert going["metadata"]["deletionTimestamp"]
    refused = await api.create(f"{path}/configmaps", {"metadata": {"name": "a"}})
    assert refused.expect(403)["message"] == (
        f'configmaps "a" is forbidden: unable to create new content in namespace {name} because it is being terminated'
    )
    assert refused.causes[0]["reason"] == "NamespaceTerminating"
    (await api.delete(path)).expect()
    empty = (await api.get(path)).expect() | {"spec": {"finalizers": []}}
    done = await api.update(f"{path}/finalize", empty)
    assert done.code in (200, 409)
    last = (await api.get(path)).expect()
    last["metadata"]["finalizers"] = []
    (await api.update(path, last)).expect()
    assert (await api.get(path)).code == 404


async def test_a_namespace_cannot_be_named_anything(api: Client) -> None:
    reply = await api.create("/api/v1/namespaces", {"metadata": {"name": "Not_A_Label"}})
    reply.expect(422)
    assert reply.causes[0]["field"] == "metadata.name"
