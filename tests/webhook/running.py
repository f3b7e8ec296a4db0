"""Runs a webhook of either role in this process, at the ClusterIP of its Service."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.errors import ApiError, NotFound
from kubeslice.kube.http import HttpApi
from kubeslice.manifests import HubValues, Image, WorkerValues, hub, worker
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.model.resources import Resource
from kubeslice.runtime.clock import SystemClock
from kubeslice.runtime.metrics import CollectorRegistry
from kubeslice.webhook.configurations import Role
from kubeslice.webhook.hubcheck import HubCheck
from kubeslice.webhook.publication import Publication
from kubeslice.webhook.server import Reviews, TlsServer
from kubeslice.webhook.workercheck import WorkerCheck

IMAGE = "kubeslice/kubeslice:test"
HOMES: dict[Role, str] = {"hub": names.HUB_NAMESPACE, "worker": names.WORKER_NAMESPACE}
ACCOUNTS: dict[Role, str] = {"hub": "kubeslice-webhook", "worker": "kubeslice-webhook-worker"}


@dataclass
class Running:
    """A webhook and the way to it."""

    publication: Publication
    server: TlsServer
    address: str


async def until(check: Callable[[], Awaitable[Any]], seconds: float = 10.0) -> Any:
    """Wait until `check` returns something true; return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(ApiError):
            result = await check()
            if result:
                return result
        await asyncio.sleep(0.03)
    raise AssertionError(f"not within {seconds} s")


@asynccontextmanager
async def webhook(admin: HttpApi, kubeconfig: Path, role: Role) -> AsyncIterator[Running]:
    """Install the manifests and run the webhook with its own credential."""
    await install(admin, role)
    service = await until(lambda: admin.get(r.SERVICES, names.WEBHOOK_SERVICE, HOMES[role]))
    address = service["spec"]["clusterIP"]
    async with await login(admin, kubeconfig, ACCOUNTS[role], HOMES[role]) as api:
        check = HubCheck(api) if role == "hub" else WorkerCheck(api, IMAGE)
        publication = Publication(api, role, HOMES[role], SystemClock())
        application = Reviews(CollectorRegistry()).application(check.mutate, check.validate)
        server = TlsServer(application, 443, publication.tls, host=address)
        tasks = [asyncio.create_task(check.run()), asyncio.create_task(publication.run())]
        try:
            await asyncio.wait_for(publication.has_identity.wait(), 10)
            tasks.append(asyncio.create_task(server.run_until_cancelled()))

            async def is_up() -> bool:
                return server.started and check.is_synced

            await until(is_up)
            configuration = {"hub": names.HUB_WEBHOOK_CONFIGURATION, "worker": names.WORKER_WEBHOOK_CONFIGURATION}[role]
            await until(lambda: admin.get(r.VALIDATINGWEBHOOKS, configuration))
            yield Running(publication, server, address)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def install(admin: HttpApi, role: Role) -> None:
    by_kind = {value.kind: value for value in vars(r).values() if isinstance(value, Resource)}
    image = Image(IMAGE)
    objects = hub(HubValues("https://hub", image)) if role == "hub" else worker(WorkerValues("w", "p", image))
    for obj in objects:
        if obj["kind"] not in {"Deployment", "DaemonSet"}:
            await admin.apply(by_kind[obj["kind"]], obj, manager="test")
    kinds = (r.PROJECTS, r.SERVICEEXPORTCONFIGS) if role == "hub" else (r.SLICES, r.SERVICEEXPORTS)
    for kind in kinds:
        await until(lambda kind=kind: served(admin, kind))  # type: ignore[misc]


async def served(admin: HttpApi, kind: Resource) -> bool:
    try:
        await admin.list(kind)
    except NotFound:
        return False
    return True


async def login(admin: HttpApi, kubeconfig: Path, account: str, namespace: str) -> HttpApi:
    secret = {
        "metadata": {
            "name": f"{account}-test",
            "namespace": namespace,
            "annotations": {"kubernetes.io/service-account.name": account},
        },
        "type": "kubernetes.io/service-account-token",
    }
    await admin.apply(r.SECRETS, secret, manager="test")

    async def token() -> str:
        found = await admin.get(r.SECRETS, f"{account}-test", namespace)
        return str((found.get("data") or {}).get("token") or "")

    config = yaml.safe_load(await asyncio.to_thread(kubeconfig.read_text))
    config["users"][0]["user"] = {"token": base64.b64decode(await until(token)).decode()}
    return HttpApi(from_kubeconfig(config))
