"""A worker's API server with its webhook: pods of a slice wait first, exports are checked, nothing else notices."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from kubeslice.kube.errors import Invalid
from kubeslice.kube.http import HttpApi
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.webhook.identity import shared_identity
from tests.webhook.running import ACCOUNTS, IMAGE, Running, login, until, webhook

pytestmark = pytest.mark.api

POD: dict[str, Any] = {"spec": {"containers": [{"name": "app", "image": "app"}]}}
REVIEW: dict[str, Any] = {
    "apiVersion": "admission.k8s.io/v1",
    "kind": "AdmissionReview",
    "request": {
        "uid": "u",
        "operation": "CREATE",
        "namespace": "shop",
        "name": "p",
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "object": {"metadata": {"name": "p"}, **POD},
    },
}


@pytest.fixture
async def running(admin: HttpApi, loopback_cluster: Path) -> AsyncIterator[Running]:
    async with webhook(admin, loopback_cluster, "worker") as up:
        labels = {names.SLICE_LABEL: "red", names.INJECT_LABEL: "true"}
        for name, its in (("shop", labels), ("plain", {})):
            namespace = {"metadata": {"name": name, "labels": its}}
            await admin.apply(r.NAMESPACES, namespace, manager="test")
            account = {"metadata": {"name": "default", "namespace": name}}
            await admin.apply(r.SERVICEACCOUNTS, account, manager="test")
        slice_ = {"metadata": {"name": "red", "namespace": names.WORKER_NAMESPACE}, "spec": {"sliceName": "red"}}
        await admin.apply(r.SLICES, slice_, manager="test")
        yield up


def pod(name: str, namespace: str, **changes: Any) -> dict[str, Any]:
    labels = changes.pop("labels", {})
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels}, "spec": {**POD["spec"], **changes}}


@pytest.mark.usefixtures("running")
async def test_a_pod_of_a_slice_waits_for_its_interface_first(admin: HttpApi) -> None:
    made = await admin.create(r.PODS, pod("one", "shop", initContainers=[{"name": "own", "image": "own"}]))
    assert [c["name"] for c in made["spec"]["initContainers"]] == [names.INIT_CONTAINER, "own"]
    wait = made["spec"]["initContainers"][0]
    assert (wait["image"], wait["args"]) == (IMAGE, ["run", "wait"])
    labels = made["metadata"]["labels"]
    assert (labels[names.SLICE_LABEL], labels[names.POD_TYPE_LABEL]) == ("red", "app")


@pytest.mark.usefixtures("running")
async def test_other_pods_are_left_alone(admin: HttpApi) -> None:
    for made in (
        await admin.create(r.PODS, pod("two", "plain")),
        await admin.create(r.PODS, pod("two", "shop", labels={names.EXCLUDE_LABEL: "true"})),
        await admin.create(r.PODS, pod("three", "shop", hostNetwork=True)),
    ):
        assert "initContainers" not in made["spec"]
        assert names.SLICE_LABEL not in (made["metadata"].get("labels") or {})


@pytest.mark.usefixtures("running")
async def test_an_export_that_can_never_work_is_refused(admin: HttpApi) -> None:
    def export(namespace: str, name: str = "web", **spec: Any) -> dict[str, Any]:
        wanted = {"slice": "red", "selector": {"matchLabels": {"app": "web"}}, "ports": [{"containerPort": 80}]}
        return {"metadata": {"name": name, "namespace": namespace}, "spec": {**wanted, **spec}}

    twice = [{"containerPort": 80}, {"containerPort": 80}]
    with pytest.raises(Invalid, match="TCP 80 is there twice"):
        await admin.create(r.SERVICEEXPORTS, export("shop", ports=twice))

    async def allowed() -> Any:
        return await admin.create(r.SERVICEEXPORTS, export("shop", aliases=["Web.example"]))

    await until(allowed)

    async def refused() -> bool:
        try:
            await admin.create(r.SERVICEEXPORTS, export("shop", "second", aliases=["web.EXAMPLE"]))
        except Invalid as refusal:
            return "alias of shop/web already" in refusal.message
        await admin.delete(r.SERVICEEXPORTS, "second", "shop")
        return False

    await until(refused)


@pytest.mark.usefixtures("running")
async def test_one_export_more_than_a_slice_may_have_is_refused(admin: HttpApi) -> None:
    limits = {"exportedServices": 1, "namespaces": [{"namespace": "plain", "hard": {}}]}
    spec = {"sliceName": "blue", "namespaces": ["plain"], "resourceQuota": limits}
    metadata = {"name": "blue", "namespace": names.WORKER_NAMESPACE}
    await admin.apply(r.SLICES, {"metadata": metadata, "spec": spec}, manager="test")

    def export(name: str) -> dict[str, Any]:
        wanted = {"slice": "blue", "selector": {}, "ports": [{"containerPort": 80}]}
        return {"metadata": {"name": name, "namespace": "plain"}, "spec": wanted}

    async def refused() -> bool:
        try:
            await admin.create(r.SERVICEEXPORTS, export("second"))
        except Invalid as refusal:
            return "exportedServices is 1 for this cluster on slice blue" in refusal.message
        await admin.delete(r.SERVICEEXPORTS, "second", "plain")
        return False

    await admin.create(r.SERVICEEXPORTS, export("first"))
    await until(refused)
    await admin.patch(r.SERVICEEXPORTS, "first", "plain", {"spec": {"ports": [{"containerPort": 81}]}})


async def test_an_export_that_waits_for_its_slice_is_a_warning(running: Running) -> None:
    spec = {"slice": "red", "selector": {"matchLabels": {"app": "web"}}, "ports": [{"containerPort": 80}]}
    request = {
        **REVIEW["request"],
        "namespace": "plain",
        "resource": {"group": "networking.kubeslice.io", "version": "v1beta1", "resource": "serviceexports"},
        "object": {"metadata": {"name": "web", "namespace": "plain"}, "spec": spec},
    }
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session,
        session.post(f"https://{running.address}/validate", json={**REVIEW, "request": request}) as response,
    ):
        answer = (await response.json())["response"]
    assert answer["allowed"]
    assert "namespace plain is in no slice" in answer["warnings"][0]


async def test_a_configuration_that_somebody_deletes_comes_back(admin: HttpApi, running: Running) -> None:
    before = await admin.get(r.MUTATINGWEBHOOKS, names.WORKER_WEBHOOK_CONFIGURATION)
    await admin.delete(r.MUTATINGWEBHOOKS, names.WORKER_WEBHOOK_CONFIGURATION)
    after = await until(lambda: admin.get(r.MUTATINGWEBHOOKS, names.WORKER_WEBHOOK_CONFIGURATION))
    assert after["webhooks"] == before["webhooks"]
    assert running.server.started


@pytest.mark.usefixtures("running")
async def test_replicas_share_one_identity(admin: HttpApi, loopback_cluster: Path) -> None:
    first = await admin.get(r.SECRETS, names.WEBHOOK_CERTIFICATE_SECRET, names.WORKER_NAMESPACE)
    async with await login(admin, loopback_cluster, ACCOUNTS["worker"], names.WORKER_NAMESPACE) as api:
        host = f"{names.WEBHOOK_SERVICE}.{names.WORKER_NAMESPACE}.svc"
        found = await asyncio.gather(
            *(shared_identity(api, names.WORKER_NAMESPACE, host, datetime.now(UTC)) for _ in range(4))
        )
        assert len(set(found)) == 1
        await admin.delete(r.SECRETS, names.WEBHOOK_CERTIFICATE_SECRET, names.WORKER_NAMESPACE)
        fresh = await asyncio.gather(
            *(shared_identity(api, names.WORKER_NAMESPACE, host, datetime.now(UTC)) for _ in range(4))
        )
        assert len(set(fresh)) == 1
        assert fresh[0] != found[0]
    second = await admin.get(r.SECRETS, names.WEBHOOK_CERTIFICATE_SECRET, names.WORKER_NAMESPACE)
    assert first["data"]["ca.crt"] != second["data"]["ca.crt"]


async def test_what_is_no_review_is_a_bad_request(running: Running) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session:
        for body in (b"", b"{}", b'{"request": {"uid": 5}}', b"\xff" * 100):
            async with session.post(f"https://{running.address}/mutate", data=body) as response:
                assert response.status == 400
                assert await response.text()


async def test_an_answer_takes_less_than_ten_milliseconds(running: Running) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session:
        times = []
        for _ in range(200):
            started = time.process_time()
            async with session.post(f"https://{running.address}/mutate", json=REVIEW) as response:
                answer = await response.json()
            times.append(time.process_time() - started)  # of both ends; others on the machine do not count
            assert answer["response"]["allowed"]
        assert sorted(times)[len(times) // 2] < 0.01
