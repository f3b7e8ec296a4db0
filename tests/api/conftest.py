"""A client, and a namespace for each test."""

import secrets
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.api.client import Client
from tests.conftest import ApiServer


@pytest.fixture
async def api(api_server: ApiServer) -> AsyncIterator[Client]:
    """The administrator's client."""
    async with aiohttp.ClientSession() as session:
        yield Client(api_server, session, api_server.token)


@pytest.fixture
def name() -> str:
    """A name that nobody else uses."""
    return f"t{secrets.token_hex(5)}"


@pytest.fixture
async def namespace(api: Client, name: str) -> AsyncIterator[str]:
    """A namespace with a service account, deleted with all it contains."""
    made = f"ns-{name}"
    (await api.create("/api/v1/namespaces", {"metadata": {"name": made}})).expect(201)
    await api.create(f"/api/v1/namespaces/{made}/serviceaccounts", {"metadata": {"name": "default"}})
    yield made
    for collection in ("pods", "configmaps", "secrets"):
        await api.delete(f"/api/v1/namespaces/{made}/{collection}", gracePeriodSeconds="0")
    services = (await api.get(f"/api/v1/namespaces/{made}/services")).body["items"]
    for service in services:
        await api.delete(f"/api/v1/namespaces/{made}/services/{service['metadata']['name']}")
    await api.delete(f"/api/v1/namespaces/{made}")
    going = await api.get(f"/api/v1/namespaces/{made}")
    if going.code == 200:
        await api.update(f"/api/v1/namespaces/{made}/finalize", going.body | {"spec": {"finalizers": []}})
