"""A worker's credential opens its own door only; without a valid one the worker says so and its slices go on."""

import base64

import pytest
import yaml

from kubeslice.kube import objects
from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.errors import Forbidden, Unauthorized
from kubeslice.kube.http import HttpApi
from kubeslice.model import names
from kubeslice.model.resources import (
    CLUSTERS,
    SECRETS,
    SERVICEEXPORTCONFIGS,
    SLICECONFIGS,
    SLICES,
    WORKERSERVICEIMPORTS,
    WORKERSLICECONFIGS,
    WORKERSLICEGATEWAYS,
)
from kubeslice.stage import application, slices
from tests.system.world import Object, World, eventually

ACCOUNT = names.worker_account("worker-1")
OWN, OTHER = (names.cluster_namespace("demo", f"worker-{number}") for number in (1, 2))
KINDS = (WORKERSLICECONFIGS, WORKERSLICEGATEWAYS, WORKERSERVICEIMPORTS, SERVICEEXPORTCONFIGS)


async def token(world: World) -> str:
    """Return the credential that the hub made for worker-1."""
    secret = await world.hub.get(SECRETS, ACCOUNT, slices.NAMESPACE)
    return base64.b64decode(secret.get("data", {}).get("token", "")).decode()


def as_worker(world: World, credential: str) -> HttpApi:
    """Return the hub's API as a worker with this credential sees it."""
    config = yaml.safe_load(world.kubeconfig.read_text())
    config["users"] = [{"name": "worker", "user": {"token": credential}}]
    config["contexts"] = [{"name": "hub", "context": {"cluster": "hub", "user": "worker"}}]
    return HttpApi(from_kubeconfig(config, "hub"))


async def test_a_worker_sees_its_own_objects_and_nothing_else(world: World) -> None:
    async with as_worker(world, await token(world)) as hub:
        assert (await hub.list(WORKERSLICECONFIGS, OWN)).items
        assert await hub.get(CLUSTERS, "worker-1", slices.NAMESPACE)
        for kind in KINDS:
            for namespace in (OTHER, slices.NAMESPACE, None):
                with pytest.raises(Forbidden):
                    await hub.list(kind, namespace)
        pairs = [objects.name(secret) for secret in (await hub.list(SECRETS, OWN)).items]
        assert {name.partition("-")[2].startswith("worker-1-") for name in pairs} == {True}, "of its own tunnels only"
        for namespace in (OTHER, slices.NAMESPACE, names.HUB_NAMESPACE, "kube-system", None):
            with pytest.raises(Forbidden):
                await hub.list(SECRETS, namespace)
        with pytest.raises(Forbidden):
            await hub.get(SECRETS, ACCOUNT, slices.NAMESPACE)
        with pytest.raises(Forbidden):
            await hub.get(CLUSTERS, "worker-2", slices.NAMESPACE)
        with pytest.raises(Forbidden):
            await hub.list(SLICECONFIGS, slices.NAMESPACE)


async def test_a_worker_writes_its_own_objects_and_nothing_else(world: World) -> None:
    async with as_worker(world, await token(world)) as hub:
        for kind, name in ((WORKERSLICECONFIGS, "red-worker-2"), (WORKERSLICEGATEWAYS, "red-worker-2-worker-1")):
            for subresource in ("", "status"):
                with pytest.raises(Forbidden):
                    await hub.patch(kind, name, OTHER, {"metadata": {}}, subresource=subresource)
            with pytest.raises(Forbidden):
                await hub.delete(kind, name, OTHER)
        with pytest.raises(Forbidden):
            await hub.patch(CLUSTERS, "worker-2", slices.NAMESPACE, {"status": {}}, subresource="status")
        with pytest.raises(Forbidden):
            await hub.delete(SLICECONFIGS, "red", slices.NAMESPACE)


async def test_nobody_gets_in_with_a_guess(world: World) -> None:
    async with as_worker(world, "guess") as hub:
        with pytest.raises(Unauthorized):
            await hub.list(WORKERSLICECONFIGS, OWN)


async def test_a_revoked_credential_is_told_and_a_new_one_heals(world: World) -> None:
    old = await token(world)
    async with world.converging("credential revoked, noticed, renewed"):
        await world.hub.delete(SECRETS, ACCOUNT, slices.NAMESPACE)
        finding = await eventually(lambda: _hub_reachable(world, "False"), "HubReachable=False", 40)
        assert finding["reason"] == "CredentialRefused"
        assert "expired or revoked" in finding["message"]
        assert f"copy the Secret {ACCOUNT}" in finding["message"]
        client = await world.place(world.red, "worker-1")
        assert (await application.ask(client, f"http://{world.red.host}/")).status == 0
        renewed = await eventually(lambda: _other_token(world, old), "another credential")
        patch = {"data": {"token": base64.b64encode(renewed.encode()).decode()}}
        await world.api("worker-1").patch(SECRETS, names.HUB_SECRET, names.WORKER_NAMESPACE, patch)
        await eventually(lambda: _hub_reachable(world, "True"), "HubReachable=True", 100)


async def _hub_reachable(world: World, status: str) -> Object | None:
    found = await world.api("worker-1").get(SLICES, "red", names.WORKER_NAMESPACE)
    condition = objects.condition(found, "HubReachable")
    return condition if condition is not None and condition["status"] == status else None


async def _other_token(world: World, old: str) -> str:
    found = await world.hub.list(SECRETS, slices.NAMESPACE, fields=f"metadata.name={ACCOUNT}")
    now = await token(world) if found.items else ""
    return now if now != old else ""
