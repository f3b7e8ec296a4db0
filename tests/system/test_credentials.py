"""A worker's credential opens its own door only; without a valid one the worker says so and its slices go on."""

import base64
from datetime import UTC, datetime

import pytest
import yaml

from kubeslice.cli.joining import revoke
from kubeslice.install import worker
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
from kubeslice.stage.stage import IMAGE, PROJECT
from tests.system.world import Object, World, eventually

ACCOUNT = names.worker_account("worker-1")
OWN, OTHER = (names.cluster_namespace("demo", f"worker-{number}") for number in (1, 2))
KINDS = (WORKERSLICECONFIGS, WORKERSLICEGATEWAYS, WORKERSERVICEIMPORTS, SERVICEEXPORTCONFIGS)


async def token(world: World) -> str:
    """Return the credential that worker-1 got for itself."""

    async def own() -> str:
        secret = await world.api("worker-1").get(SECRETS, names.HUB_SECRET, names.WORKER_NAMESPACE)
        return base64.b64decode(secret["data"].get(names.OWN_TOKEN) or "").decode()

    return str(await eventually(own, "a credential of its own"))


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


async def test_what_the_worker_joined_with_is_gone(world: World) -> None:
    await token(world)
    assert not (await world.hub.list(SECRETS, slices.NAMESPACE, fields=f"metadata.name={ACCOUNT}")).items
    cluster = await world.hub.get(CLUSTERS, "worker-1", slices.NAMESPACE)
    assert (objects.condition(cluster, "CredentialsReady") or {})["reason"] == "Held"


async def test_a_revoked_credential_is_told_and_a_new_one_heals(world: World) -> None:
    old = await token(world)
    async with world.converging("credential revoked, noticed, joined again"):
        await revoke(world.hub, await world.hub.get(CLUSTERS, "worker-1", slices.NAMESPACE), datetime.now(UTC))
        async with as_worker(world, old) as hub:
            with pytest.raises(Unauthorized):
                await hub.list(WORKERSLICECONFIGS, OWN)
        finding = await eventually(lambda: _hub_reachable(world, "False"), "HubReachable=False", 40)
        assert finding["reason"] == "CredentialRefused"
        assert "expired or revoked" in finding["message"]
        assert "kubeslice cluster join-token worker-1" in finding["message"]
        assert f"copy the Secret {ACCOUNT}" in finding["message"]
        client = await world.place(world.red, "worker-1")
        assert (await application.ask(client, f"http://{world.red.host}/")).status == 0
        invitation = await worker.invite(world.hub, PROJECT, "worker-1", 600)
        await worker.join(world.api("worker-1"), invitation, IMAGE)
        await eventually(lambda: _hub_reachable(world, "True"), "HubReachable=True", 20)
        assert await token(world) != old


async def _hub_reachable(world: World, status: str) -> Object | None:
    found = await world.api("worker-1").get(SLICES, "red", names.WORKER_NAMESPACE)
    condition = objects.condition(found, "HubReachable")
    return condition if condition is not None and condition["status"] == status else None
