"""A worker's credential on the hub: what it joins with, what it gets for itself, and its end at any moment."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kubeslice.cli.joining import revoke
from kubeslice.install import worker
from kubeslice.kube import objects
from kubeslice.kube.errors import Forbidden, Unauthorized
from kubeslice.kube.http import HttpApi
from kubeslice.kube.tokens import request_token
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.model.errors import Terminal
from kubeslice.plan.tenants import credentials, joining
from tests.hub.stage import HEARTBEAT, Stage, Worker

pytestmark = pytest.mark.api

WEST = names.worker_account("west")


async def with_own_credential(stage: Stage, worker: Worker) -> tuple[Worker, str]:
    """Do what a worker does that has joined: ask for a token for its own account, use it and say so."""
    text = await request_token(worker.api, WEST, stage.home, credentials.DEFAULT_SECONDS)
    token = credentials.read(text)
    assert token is not None
    own = replace_credential(worker, text)
    await own.beat(HEARTBEAT, credential=token.wire())
    return own, token.account_uid


def replace_credential(worker: Worker, text: str) -> Worker:
    to = worker.api._to
    return Worker(worker.stage, worker.cluster, HttpApi(replace(to, token=lambda: text)))


async def keep_secret(stage: Stage, cluster: str, *, keep: bool) -> None:
    await stage.admin.patch(r.CLUSTERS, cluster, stage.home, {"spec": {"credential": {"keepSecret": keep}}})


async def account(stage: Stage) -> str:
    found = await stage.find(r.SERVICEACCOUNTS, WEST, stage.home)
    return objects.uid(found) if found else ""


async def test_what_a_worker_joined_with_goes_when_it_has_its_own_and_comes_back_when_that_ends(stage: Stage) -> None:
    await stage.make_project()
    west = (await stage.register("west"))["west"]
    own, uid = await with_own_credential(stage, west)
    await stage.gone(r.SECRETS, WEST, stage.home)
    cluster = await stage.condition(r.CLUSTERS, "west", stage.home, "CredentialsReady", "True", "Held")
    status = objects.status(cluster)
    assert "secretName" not in status
    assert status["credentialSeconds"] == credentials.DEFAULT_SECONDS
    assert objects.is_true(cluster, "Ready")
    with pytest.raises(Unauthorized):
        await west.api.list(r.WORKERSLICECONFIGS, own.namespace)
    assert (await own.api.list(r.WORKERSLICECONFIGS, own.namespace)).items == []
    for others in (names.worker_account("east"), "default"):
        with pytest.raises(Forbidden):
            await request_token(own.api, others, stage.home, 600)

    await keep_secret(stage, "west", keep=True)
    await stage.until(lambda: stage.find(r.SECRETS, WEST, stage.home))

    async def is_named() -> bool:
        cluster = await stage.admin.get(r.CLUSTERS, "west", stage.home)
        return objects.status(cluster).get("secretName") == WEST

    await stage.until(is_named)
    await keep_secret(stage, "west", keep=False)
    await stage.gone(r.SECRETS, WEST, stage.home)

    await own.beat(HEARTBEAT, credential={"accountUID": uid, "expiresAt": "2026-01-01T00:00:00Z"})
    await stage.until(lambda: stage.find(r.SECRETS, WEST, stage.home))
    await own.api.close()


async def test_a_revoked_worker_is_refused_at_once_whatever_it_was_given(stage: Stage) -> None:
    await stage.make_project()
    west = (await stage.register("west"))["west"]
    await stage.make_slice("red", "west")
    own, uid = await with_own_credential(stage, west)
    spare = replace_credential(west, await request_token(own.api, WEST, stage.home, 86_400))
    began = time.monotonic()
    await stage.admin.patch(r.CLUSTERS, "west", stage.home, {"spec": {"credential": {"revision": "stolen"}}})

    async def is_refused() -> bool:
        try:
            await spare.api.list(r.WORKERSLICECONFIGS, own.namespace)
        except Unauthorized:
            return True
        return False

    await stage.until(is_refused)
    assert time.monotonic() - began < 2
    with pytest.raises(Unauthorized):
        await own.api.list(r.WORKERSLICECONFIGS, own.namespace)

    back = Worker(stage, "west", await stage.credential(WEST, stage.home))
    assert await account(stage) not in ("", uid)
    cluster = await stage.admin.get(r.CLUSTERS, "west", stage.home)
    assert objects.status(cluster)["credentialRevision"] == "stolen"
    assert objects.spec(await back.config("red"))["sliceName"] == "red", "its slices stay as they are"
    again, _ = await with_own_credential(stage, back)
    await stage.gone(r.SECRETS, WEST, stage.home)
    uid = await account(stage)
    await stage.admin.delete(r.SERVICEACCOUNTS, WEST, stage.home)
    with pytest.raises(Unauthorized):
        await again.api.list(r.WORKERSLICECONFIGS, own.namespace)
    await stage.credential(WEST, stage.home)
    assert await account(stage) != uid, "an account that somebody deletes is made anew"
    for gone in (own, spare, again):
        await gone.api.close()


async def test_a_cluster_is_invited_once_and_again_after_its_credential_was_revoked(stage: Stage) -> None:
    await stage.make_project(readWrite=["bob"])
    writer = await stage.credential("kubeslice-rbac-rw-bob", stage.home)
    invitation = await worker.invite(writer, stage.project, "west", 600)
    printed = joining.encode(invitation)
    assert joining.decode(printed, datetime.now(UTC)) == invitation
    assert invitation.endpoint == "https://hub.example:6443"
    to = stage.admin._to
    guest = Worker(stage, "west", HttpApi(replace(to, token=lambda: invitation.token)))
    await guest.beat(HEARTBEAT)
    own, _ = await with_own_credential(stage, guest)
    await stage.gone(r.SECRETS, WEST, stage.home)
    with pytest.raises(Unauthorized):
        await guest.api.list(r.WORKERSLICECONFIGS, own.namespace)
    with pytest.raises(Terminal, match="cluster revoke west"):
        await worker.invite(writer, stage.project, "west", 600)
    assert await worker.register(writer, stage.project, "west") is None, "it is installed again with what it has"

    cluster = await stage.admin.get(r.CLUSTERS, "west", stage.home)
    told = await revoke(writer, cluster, datetime.now(UTC))
    assert "worthless now" in told
    with pytest.raises(Unauthorized):
        await own.api.list(r.WORKERSLICECONFIGS, own.namespace)
    again = await worker.invite(writer, stage.project, "west", 600)
    assert again.token != invitation.token
    for gone in (guest, own):
        await gone.api.close()
